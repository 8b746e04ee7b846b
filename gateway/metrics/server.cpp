#include "gateway/metrics/server.hpp"

#include "gateway/config/literal.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using namespace std::chrono_literals;
using Socket = Listener::Socket;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t longest_request = 8'192;
constexpr std::size_t most_callers = 4;
constexpr auto longest_conversation = 10s;

using Request = http::request_parser<http::empty_body>;
using Answer = http::response<http::string_body>;

Answer refusal(http::status status, const char* why)
{
    Answer answer(status, 11);
    answer.set(http::field::content_type, "text/plain; charset=utf-8");
    answer.body() = why;
    return answer;
}

asio::awaitable<Answer> answer_to(const Request::value_type& request, const MetricsSource& source)
{
    if (request.method() != http::verb::get) {
        auto answer = refusal(http::status::method_not_allowed, "only GET\n");
        answer.set(http::field::allow, "GET");
        co_return answer;
    }
    const auto path = request.target().substr(0, request.target().find('?'));
    if (path != "/metrics") {
        co_return refusal(http::status::not_found, "the figures are at /metrics\n");
    }
    const auto accept = request[http::field::accept];
    const auto format = metrics_format({accept.data(), accept.size()});
    Answer answer(http::status::ok, 11);
    answer.set(http::field::content_type,
               format == MetricsFormat::plain
                   ? "text/plain; version=0.0.4; charset=utf-8"
                   : "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.body() = co_await source(format);
    co_return answer;
}

// Something came, and it is no request; else the caller has gone.
bool is_refused(const Error& error)
{
    static const auto& parsing = http::make_error_code(http::error::bad_version).category();
    return error.category() == parsing && error != http::error::end_of_stream;
}

asio::awaitable<Status> converse(Socket& socket, const MetricsSource& source)
{
    boost::beast::flat_buffer buffer(longest_request);
    Request request;
    request.header_limit(longest_request);
    const auto [unread, count] =
        co_await http::async_read_header(socket, buffer, request, as_result);
    Answer answer;
    if (!unread) {
        answer = co_await answer_to(request.get(), source);
    } else if (is_refused(unread)) {
        answer = refusal(http::status::bad_request, "not a request this server answers\n");
    } else {
        co_return unread;
    }
    answer.keep_alive(false);
    answer.prepare_payload();
    const auto [unsent, sent] = co_await http::async_write(socket, answer, as_result);
    Error ignored;
    socket.shutdown(Socket::shutdown_send, ignored);
    co_return unsent ? Status(unsent) : Status();
}

bool is_path(std::string_view where)
{
    return where.find('/') != std::string_view::npos;
}

std::optional<asio::ip::tcp::endpoint> loopback_endpoint(std::string_view where)
{
    const auto place = parse_host_port(where);
    if (!place || !is_loopback(place->host)) {
        return std::nullopt;
    }
    Error error;
    const auto address =
        asio::ip::make_address(place->host == "localhost" ? "127.0.0.1" : place->host, error);
    return error ? std::nullopt : std::optional(asio::ip::tcp::endpoint(address, place->port));
}

asio::awaitable<void> answer_caller(Socket socket, MetricsSource source)
{
    co_await with_deadline(converse(socket, source), longest_conversation);
}

std::unique_ptr<Listener> listen_at(asio::any_io_executor executor, const std::string& where,
                                    MetricsSource source)
{
    auto serve = [source = std::move(source)](Socket socket) {
        return answer_caller(std::move(socket), source);
    };
    if (is_path(where)) {
        return std::make_unique<Listener>(std::move(executor), where, most_callers,
                                          std::move(serve));
    }
    if (const auto port = loopback_endpoint(where)) {
        return std::make_unique<Listener>(std::move(executor), *port, most_callers,
                                          std::move(serve));
    }
    throw std::system_error(EINVAL, std::generic_category(), where);
}

}  // namespace

MetricsServer::MetricsServer(asio::any_io_executor executor, const std::string& where,
                             MetricsSource source)
    : listener_(listen_at(std::move(executor), where, std::move(source)))
{
}

MetricsServer::~MetricsServer() = default;

asio::awaitable<void> MetricsServer::run()
{
    return listener_->run();
}

asio::awaitable<void> MetricsServer::stop()
{
    return listener_->stop();
}

MetricsFormat metrics_format(std::string_view accept)
{
    const auto asks = [accept](std::string_view type) {
        return accept.find(type) != std::string_view::npos;
    };
    return asks("text/plain") && !asks("openmetrics") ? MetricsFormat::plain
                                                      : MetricsFormat::open_metrics;
}

bool is_metrics_place(std::string_view where)
{
    return is_path(where) || loopback_endpoint(where).has_value();
}

}  // namespace gateway
