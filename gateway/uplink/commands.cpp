#include "gateway/uplink/commands.hpp"

#include "gateway/uplink/utc.hpp"

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_command_bytes = 65'536;
constexpr std::size_t longest_id = 64;
constexpr std::size_t most_remembered = 256;
constexpr std::size_t most_running = 16;

Answer failed(std::string text)
{
    return {"failed", std::move(text), {}};
}

}  // namespace

Result<Command> parse_command(std::string_view text)
{
    auto parsed = parse_json(text, most_command_bytes);
    if (!parsed) {
        return parsed.error();
    }
    if (!parsed->is_object()) {
        return Fault::malformed;
    }
    auto& object = parsed->as_object();
    Command command;
    command.id = text_of(object, "id");
    command.name = text_of(object, "command");
    if (const auto* expires = object.if_contains("expires"); expires && !expires->is_null()) {
        command.expires = utc_from(text_of(object, "expires"));
        if (!command.expires) {
            return Fault::malformed;
        }
    }
    if (auto* arguments = object.if_contains("arguments")) {
        if (!arguments->is_object()) {
            return Fault::malformed;
        }
        command.arguments = std::move(arguments->as_object());
    }
    if (text_of(object, "schema") != "smartstate.command/1" || command.id.empty() ||
        command.id.size() > longest_id || command.name.empty()) {
        return Fault::malformed;
    }
    return command;
}

std::string answer_json(const std::string& id, const Answer& answer)
{
    json::object object;
    object["schema"] = "smartstate.answer/1";
    object["id"] = id;
    object["state"] = answer.state;
    object["text"] = answer.text;
    object["result"] = answer.result;
    return json::serialize(object);
}

Commands::Commands(asio::any_io_executor executor, const Clock& clock, CommandHandlers handlers,
                   std::function<void(std::string)> answer)
    : clock_(clock),
      handlers_(std::move(handlers)),
      answer_(std::move(answer)),
      tasks_(std::move(executor))
{
}

void Commands::received(std::string_view text)
{
    auto command = parse_command(text);
    if (!command) {
        ++refused_;
        return;
    }
    if (const auto known = answers_.find(command->id); known != answers_.end()) {
        if (!known->second.empty()) {
            answer_(known->second);
        }
        return;
    }
    if (running_ >= most_running) {
        answer_(answer_json(command->id, failed("too many commands at once; send it again")));
        return;
    }
    const auto id = command->id;
    answers_.emplace(id, "");
    order_.push_back(id);
    if (order_.size() > most_remembered) {
        answers_.erase(order_.front());
        order_.pop_front();
    }
    const auto now = clock_.wall();
    const auto handler = handlers_.find(command->name);
    if (command->expires && now.state != ClockState::unset && *command->expires < now.wall) {
        conclude(id, failed("expired"));
    } else if (handler == handlers_.end()) {
        conclude(id, failed("this release does not know the command " + command->name));
    } else {
        ++running_;
        tasks_.spawn("command", perform(std::move(*command), handler->second));
    }
}

asio::awaitable<void> Commands::perform(Command command, CommandHandler handler)
{
    const auto answer = co_await handler(std::move(command.arguments));
    --running_;
    conclude(command.id, answer);
}

void Commands::conclude(const std::string& id, const Answer& answer)
{
    auto text = answer_json(id, answer);
    if (const auto known = answers_.find(id); known != answers_.end()) {
        known->second = text;
    }
    answer_(std::move(text));
}

asio::awaitable<void> Commands::stop()
{
    tasks_.cancel();
    co_await tasks_.join();
}

}  // namespace gateway
