#include "gateway/metrics/server.hpp"

#include "gateway/config/literal.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/task_group.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
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
using Protocol = asio::generic::stream_protocol;
using Socket = Protocol::socket;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t longest_request = 8'192;
constexpr std::size_t most_callers = 4;
constexpr auto longest_conversation = 10s;
constexpr auto pause_after_a_failure = 100ms;

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

}  // namespace

class MetricsServer::State {
public:
    State(asio::any_io_executor executor, const std::string& where, MetricsSource source)
        : acceptor_(executor), source_(std::move(source)), callers_(executor), room_(executor)
    {
        if (is_path(where)) {
            ::unlink(where.c_str());
            listen(asio::local::stream_protocol::endpoint(where), where);
            path_ = where;
            if (::chmod(where.c_str(), 0660) != 0) {
                throw std::system_error(errno, std::generic_category(), where);
            }
        } else if (const auto endpoint = loopback_endpoint(where)) {
            listen(*endpoint, where);
        } else {
            throw std::system_error(EINVAL, std::generic_category(), where);
        }
    }

    ~State()
    {
        if (!path_.empty()) {
            ::unlink(path_.c_str());
        }
    }
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
            callers_.spawn("metrics", serve(std::move(socket)));
        }
    }

    asio::awaitable<void> stop()
    {
        callers_.cancel();
        co_await callers_.join();
    }

private:
    template <typename Endpoint>
    void listen(const Endpoint& endpoint, const std::string& where)
    {
        const Protocol::endpoint place(endpoint);
        Error error;
        acceptor_.open(place.protocol(), error);
        if (!error) {
            acceptor_.set_option(asio::socket_base::reuse_address(true), error);
            acceptor_.bind(place, error);
        }
        if (!error) {
            acceptor_.listen(asio::socket_base::max_listen_connections, error);
        }
        if (error) {
            throw std::system_error(error, where);
        }
    }

    asio::awaitable<void> pause(asio::steady_timer::time_point end)
    {
        room_.expires_at(end);
        co_await room_.async_wait(as_result);
    }

    asio::awaitable<void> serve(Socket socket)
    {
        const Active here(*this);
        co_await with_deadline(converse(socket, source_), longest_conversation);
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

    asio::basic_socket_acceptor<Protocol> acceptor_;
    std::string path_;
    MetricsSource source_;
    TaskGroup callers_;
    asio::steady_timer room_;
    std::size_t active_ = 0;
};

MetricsServer::MetricsServer(asio::any_io_executor executor, const std::string& where,
                             MetricsSource source)
    : state_(std::make_unique<State>(std::move(executor), where, std::move(source)))
{
}

MetricsServer::~MetricsServer() = default;

asio::awaitable<void> MetricsServer::run()
{
    return state_->run();
}

asio::awaitable<void> MetricsServer::stop()
{
    return state_->stop();
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
