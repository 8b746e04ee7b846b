#include "gateway/admin/control.hpp"

#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;
using Socket = Listener::Socket;
using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_request = 65'536;
constexpr std::size_t most_callers = 16;

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

asio::awaitable<void> serve(Socket socket, ControlHandler handler)
{
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
    co_await handler(std::move(request->as_object()), reply);
}

}  // namespace

json::object refusal(std::string_view why)
{
    return {{"ok", false}, {"error", why}};
}

ControlServer::ControlServer(asio::any_io_executor executor, const std::string& path,
                             ControlHandler handler)
    : listener_(std::make_unique<Listener>(std::move(executor), path, most_callers,
                                           [handler = std::move(handler)](Socket socket) {
                                               return serve(std::move(socket), handler);
                                           }))
{
}

ControlServer::~ControlServer() = default;

asio::awaitable<void> ControlServer::run()
{
    return listener_->run();
}

asio::awaitable<void> ControlServer::stop()
{
    return listener_->stop();
}

Status ask(const std::string& path, const json::object& request,
           const std::function<bool(const json::object&)>& line)
{
    asio::io_context io;
    asio::local::stream_protocol::socket socket(io);
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
