#include "gateway/admin/control.hpp"

#include "gateway/runtime/deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;
using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_request = 65'536;
constexpr std::size_t most_callers = 16;
constexpr auto pause_after_a_failure = 100ms;

asio::awaitable<Status> write_line(Socket& socket, std::string line)
{
    const auto [error, count] = co_await asio::async_write(socket, asio::buffer(line), as_result);
    co_return error ? Status(error) : Status();
}

asio::awaitable<Result<std::string>> read_line(Socket& socket)
{
    std::string line;
    auto buffer = asio::dynamic_buffer(line, longest_request);
    const auto [error, count] = co_await asio::async_read_until(socket, buffer, '\n', as_result);
    if (error) {
        co_return error;
    }
    line.resize(count);
    co_return line;
}

class SocketReply final : public Reply {
public:
    explicit SocketReply(Socket& socket) : socket_(socket) {}

    asio::awaitable<Status> send(json::object line) override
    {
        auto text = json::serialize(line) + '\n';
        co_return co_await with_deadline(write_line(socket_, std::move(text)), 10s);
    }

private:
    Socket& socket_;
};

}  // namespace

class ControlServer::State {
public:
    State(asio::any_io_executor executor, std::string path, ControlHandler handler)
        : acceptor_(executor),
          path_(std::move(path)),
          handler_(std::move(handler)),
          callers_(executor),
          room_(executor)
    {
        ::unlink(path_.c_str());
        acceptor_.open();
        acceptor_.bind(asio::local::stream_protocol::endpoint(path_));
        if (::chmod(path_.c_str(), 0660) != 0) {
            throw std::system_error(errno, std::generic_category(), path_);
        }
        acceptor_.listen();
    }

    ~State() { ::unlink(path_.c_str()); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    asio::awaitable<void> run()
    {
        for (;;) {
            while (active_ >= most_callers) {
                co_await pause(asio::steady_timer::time_point::max());
            }
            auto [error, socket] = co_await acceptor_.async_accept(as_result);
            if (error == asio::error::operation_aborted) {
                throw boost::system::system_error(error);
            }
            if (error) {  // no descriptors, most likely
                co_await pause(std::chrono::steady_clock::now() + pause_after_a_failure);
                continue;
            }
            callers_.spawn("control", serve(std::move(socket)));
        }
    }

    asio::awaitable<void> stop()
    {
        callers_.cancel();
        co_await callers_.join();
    }

private:
    asio::awaitable<void> pause(asio::steady_timer::time_point end)
    {
        room_.expires_at(end);
        co_await room_.async_wait(as_result);
    }

    asio::awaitable<void> serve(Socket socket)
    {
        const Active here(*this);
        const auto line = co_await with_deadline(read_line(socket), 10s);
        if (!line) {
            co_return;
        }
        auto request = parse_json(*line, longest_request);
        SocketReply reply(socket);
        if (!request || !request->is_object()) {
            auto why = refusal("a request is one JSON object on one line");
            co_await reply.send(std::move(why));
            co_return;
        }
        co_await handler_(std::move(request->as_object()), reply);
    }

    struct Active {
        explicit Active(State& owner) : state(owner) { ++state.active_; }
        ~Active()
        {
            --state.active_;
            state.room_.cancel();
        }
        Active(const Active&) = delete;
        Active& operator=(const Active&) = delete;
        State& state;
    };

    asio::local::stream_protocol::acceptor acceptor_;
    std::string path_;
    ControlHandler handler_;
    TaskGroup callers_;
    asio::steady_timer room_;
    std::size_t active_ = 0;
};

json::object refusal(std::string_view why)
{
    return {{"ok", false}, {"error", why}};
}

ControlServer::ControlServer(asio::any_io_executor executor, std::string path,
                             ControlHandler handler)
    : state_(std::make_unique<State>(std::move(executor), std::move(path), std::move(handler)))
{
}

ControlServer::~ControlServer() = default;

asio::awaitable<void> ControlServer::run()
{
    return state_->run();
}

asio::awaitable<void> ControlServer::stop()
{
    return state_->stop();
}

Status ask(const std::string& path, const json::object& request,
           const std::function<bool(const json::object&)>& line)
{
    asio::io_context io;
    Socket socket(io);
    Error error;
    socket.connect(asio::local::stream_protocol::endpoint(path), error);
    if (error) {
        return error == asio::error::access_denied ? Status(error) : Status(Fault::not_found);
    }
    asio::write(socket, asio::buffer(json::serialize(request) + '\n'), error);
    std::string text;
    auto buffer = asio::dynamic_buffer(text, 16 << 20);
    while (!error) {
        const auto count = asio::read_until(socket, buffer, '\n', error);
        if (error) {
            break;
        }
        const auto answer = parse_json(std::string_view(text).substr(0, count), 16 << 20);
        if (!answer || !answer->is_object()) {
            return Fault::malformed;
        }
        if (!line(answer->as_object())) {
            return {};
        }
        buffer.consume(count);
    }
    return error == asio::error::eof ? Status() : Status(error);
}

}  // namespace gateway
