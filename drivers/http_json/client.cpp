#include "drivers/http_json/client.hpp"

#include "gateway/core/ids.hpp"

#include <openssl/x509.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <utility>

namespace gateway::http_json {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t most_header_bytes = 16'384;

Error fault_of(const Error& error)
{
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow) {
        return Fault::too_large;
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error == asio::error::eof || error == ssl::error::stream_truncated) {
        return Fault::closed;
    }
    return error.category() == http::make_error_code(http::error::bad_version).category()
               ? make_error_code(Fault::malformed)
               : error;
}

bool is_fingerprint(SSL* session, const std::string& expected)
{
    X509* certificate = SSL_get1_peer_certificate(session);
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    const bool read =
        certificate != nullptr && X509_digest(certificate, EVP_sha256(), bytes.data(), &size) == 1;
    X509_free(certificate);
    return read && to_hex(ByteView(bytes).first(size)) == expected;
}

}  // namespace

struct Trust {
    ssl::context context{ssl::context::tls_client};
};

struct Connection::Streams {
    Streams(const asio::any_io_executor& executor, const Server& where,
            std::shared_ptr<Trust>& shared)
        : server(where), trust(shared), socket(executor)
    {
    }

    Status make_trust();
    asio::awaitable<Status> shake_hands();
    template <typename Stream>
    asio::awaitable<Result<Answer>> exchange(Stream& over, Request request);

    const Server& server;
    std::shared_ptr<Trust>& trust;
    tcp::socket socket;
    std::optional<ssl::stream<tcp::socket&>> secure;
    boost::beast::flat_buffer buffer;
    std::string problem;
};

Status Connection::Streams::make_trust()
{
    auto made = std::make_shared<Trust>();
    Error error;
    if (server.ca_file.empty()) {
        made->context.set_default_verify_paths(error);
    } else {
        made->context.load_verify_file(server.ca_file, error);
    }
    if (error) {
        problem = "the certificates to trust cannot be read: " + error.message();
        return Fault::refused;
    }
    trust = std::move(made);
    return {};
}

asio::awaitable<Status> Connection::Streams::shake_hands()
{
    if (!trust) {
        if (const auto made = make_trust(); !made) {
            co_return made;
        }
    }
    auto& stream = secure.emplace(socket, trust->context);
    SSL* session = stream.native_handle();
    Error error;
    stream.set_verify_mode(server.fingerprint.empty() ? ssl::verify_peer : ssl::verify_none, error);
    SSL_set_min_proto_version(session, TLS1_2_VERSION);
    asio::ip::make_address(server.host, error);
    if (auto name = server.host; error) {  // the macro for it casts in the old style
        SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
    stream.set_verify_callback(ssl::host_name_verification(server.host), error);
    auto [failed] = co_await stream.async_handshake(ssl::stream_base::client, as_result);
    const auto verdict = SSL_get_verify_result(session);
    if (failed && server.fingerprint.empty() && verdict != X509_V_OK) {
        problem = X509_verify_cert_error_string(verdict);
        co_return Fault::refused;
    }
    if (failed) {
        problem = failed.message();
        co_return fault_of(failed);
    }
    if (!server.fingerprint.empty() && !is_fingerprint(session, server.fingerprint)) {
        problem = "another certificate than the one of the fingerprint";
        co_return Fault::refused;
    }
    co_return Status();
}

template <typename Stream>
asio::awaitable<Result<Answer>> Connection::Streams::exchange(Stream& over, Request request)
{
    http::request<http::empty_body> question(http::verb::get, request.target, 11);
    const bool v6 = server.host.find(':') != std::string::npos;
    const bool usual = server.port == (server.tls ? 443 : 80);
    question.set(http::field::host, (v6 ? '[' + server.host + ']' : server.host) +
                                        (usual ? "" : ':' + std::to_string(server.port)));
    question.set(http::field::user_agent, "smart-gateway");
    question.set(http::field::accept, "application/json, text/plain, */*");
    question.set(http::field::accept_encoding, "identity");
    if (!request.authorization.empty()) {
        question.set(http::field::authorization, request.authorization);
    }
    if (!request.header.empty()) {
        question.set(request.header, request.header_value);
    }
    auto [unsent, sent] = co_await http::async_write(over, question, as_result);
    if (unsent) {
        co_return fault_of(unsent);
    }
    http::response_parser<http::string_body> parser;
    parser.body_limit(request.max_body);
    parser.header_limit(most_header_bytes);
    auto [error, count] = co_await http::async_read(over, buffer, parser, as_result);
    if (error) {
        co_return fault_of(error);
    }
    auto& message = parser.get();
    const auto encoding = message[http::field::content_encoding];
    if (!encoding.empty() && encoding != "identity") {
        co_return Fault::malformed;
    }
    Answer answer{.status = message.result_int(), .body = std::move(message.body())};
    const auto range = message.equal_range(http::field::www_authenticate);
    for (auto at = range.first; at != range.second; ++at) {
        answer.challenges.emplace_back(at->value());
    }
    answer.goes_on = message.keep_alive();
    co_return answer;
}

Connection::Connection(asio::any_io_executor executor, const Server& server,
                       std::shared_ptr<Trust>& trust)
    : streams_(std::make_unique<Streams>(executor, server, trust))
{
}

Connection::~Connection() = default;

const std::string& Connection::problem() const
{
    return streams_->problem;
}

asio::awaitable<Status> Connection::open(std::string address)
{
    Error error;
    const auto numeric = asio::ip::make_address(address, error);
    if (error) {
        co_return error;
    }
    auto& socket = streams_->socket;
    const tcp::endpoint endpoint(numeric, streams_->server.port);
    auto [failed] = co_await socket.async_connect(endpoint, as_result);
    if (failed) {
        co_return failed;
    }
    socket.set_option(tcp::no_delay(true), error);
    if (!streams_->server.tls) {
        co_return Status();
    }
    co_return co_await streams_->shake_hands();
}

asio::awaitable<Result<Answer>> Connection::get(Request request)
{
    if (streams_->secure) {
        co_return co_await streams_->exchange(*streams_->secure, std::move(request));
    }
    co_return co_await streams_->exchange(streams_->socket, std::move(request));
}

std::optional<Server> parse_url(std::string_view url, std::uint16_t port)
{
    constexpr std::string_view plain = "http://";
    constexpr std::string_view secure = "https://";
    Server server{.tls = url.starts_with(secure)};
    if (!server.tls && !url.starts_with(plain)) {
        return std::nullopt;
    }
    server.port = server.tls ? 443 : port;
    url.remove_prefix(server.tls ? secure.size() : plain.size());
    const auto slash = std::min(url.find('/'), url.size());
    server.base = url.substr(slash);
    while (server.base.ends_with('/')) {
        server.base.pop_back();
    }
    auto host = url.substr(0, slash);
    const auto colon = host.rfind(':');
    if (colon != host.npos && host.find(']', colon) == host.npos) {
        const auto digits = host.substr(colon + 1);
        const auto* const end = digits.data() + digits.size();
        const auto parsed = std::from_chars(digits.data(), end, server.port);
        if (parsed.ec != std::errc() || parsed.ptr != end || server.port == 0) {
            return std::nullopt;
        }
        host = host.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    server.host = host;
    const bool fits = !host.empty() && host.find_first_of("?#@[] \t") == host.npos &&
                      server.base.find_first_of("?# \t\r\n") == server.base.npos;
    return fits ? std::optional(std::move(server)) : std::nullopt;
}

}  // namespace gateway::http_json
