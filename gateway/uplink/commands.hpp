#pragma once

#include "gateway/core/json.hpp"
#include "gateway/core/result.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// A command of the platform (protocol.md, section 7).
struct Command {
    std::string id, name;
    std::optional<WallTime> expires;
    json::object arguments;
};

/// Parses bytes from outside: Fault::too_large or malformed.
Result<Command> parse_command(std::string_view text);

struct Answer {
    std::string state = "done";  ///< "accepted", "done" or "failed"
    std::string text;
    json::object result;
};

using CommandHandler = std::function<boost::asio::awaitable<Answer>(json::object arguments)>;
/// By the command's name.
using CommandHandlers = std::map<std::string, CommandHandler, std::less<>>;

std::string answer_json(const std::string& id, const Answer& answer);

/// Does commands, each id at most once; the same id again gets the same answer. Runs on the loop.
class Commands {
public:
    /// `answer` sends an answer's text, if it can.
    Commands(boost::asio::any_io_executor executor, const Clock& clock, CommandHandlers handlers,
             std::function<void(std::string)> answer);

    /// What arrived on the command topic. What is no command is counted and not answered.
    void received(std::string_view text);
    std::size_t refused() const { return refused_; }
    /// Cancels commands that are being done.
    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> perform(Command command, CommandHandler handler);
    void conclude(const std::string& id, const Answer& answer);

    const Clock& clock_;
    CommandHandlers handlers_;
    std::function<void(std::string)> answer_;
    std::map<std::string, std::string, std::less<>> answers_;  // by id; empty: being done
    std::deque<std::string> order_;                            // ids, the oldest first
    std::size_t running_ = 0;
    std::size_t refused_ = 0;
    TaskGroup tasks_;
};

}  // namespace gateway
