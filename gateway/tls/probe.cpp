#include "gateway/tls/probe.hpp"

#include "gateway/runtime/deadline.hpp"
#include "gateway/tls/certificate.hpp"
#include "gateway/tls/openssl.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <memory>

namespace gateway::tls {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;
using Stream = ssl::stream<tcp::socket>;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration refusal_limit = std::chrono::seconds(2);

/// One connection, kept by whatever still works on it.
struct Attempt {
    Attempt(const asio::any_io_executor& executor, ssl::context& context)
        : stream(executor, context)
    {
    }
    Stream stream;
    Verdict verdict;
};
using Shared = std::shared_ptr<Attempt>;

/// OpenSSL asks for each certificate of the chain; the first that is not good decides.
bool note_verdict(Verdict& verdict, bool good, X509_STORE_CTX* chain)
{
    auto* certificate = X509_STORE_CTX_get_current_cert(chain);
    if (!good && !verdict.certificate && certificate != nullptr) {
        X509_up_ref(certificate);
        verdict = {X509_STORE_CTX_get_error(chain), X509_STORE_CTX_get_error_depth(chain),
                   X509Certificate(certificate)};
    }
    return good;
}

Error prepare(Attempt& attempt, const Peer& peer)
{
    auto& stream = attempt.stream;
    auto* param = SSL_get0_param(stream.native_handle());
    const auto at = std::chrono::floor<std::chrono::seconds>(peer.at).time_since_epoch().count();
    X509_VERIFY_PARAM_set_time(param, at);
    Error error;
    stream.set_verify_mode(ssl::verify_peer, error);
    if (!error) {
        auto note = [&verdict = attempt.verdict](bool good, ssl::verify_context& chain) {
            return note_verdict(verdict, good, chain.native_handle());
        };
        stream.set_verify_callback(note, error);
    }
    if (peer.name.empty()) {
        X509_VERIFY_PARAM_set1_ip_asc(param, peer.address.c_str());
    } else {
        X509_VERIFY_PARAM_set1_host(param, peer.name.c_str(), peer.name.size());
        // SSL_set_tlsext_host_name, without the casts of C
        SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(peer.name.c_str()));
    }
    return error;
}

/// Empty, or which of the box's own files cannot be used.
std::string load_files(ssl::context& context, const Peer& peer)
{
    Error error;
    if (peer.ca_file.empty()) {
        context.set_default_verify_paths(error);
    } else {
        context.load_verify_file(peer.ca_file, error);
    }
    if (error) {
        return "the authorities in " + peer.ca_file + " cannot be read: " + error.message();
    }
    if (peer.certificate_file.empty()) {
        return {};
    }
    context.use_certificate_chain_file(peer.certificate_file, error);
    if (error) {
        return "the box's certificate " + peer.certificate_file +
               " cannot be read: " + error.message();
    }
    context.use_private_key_file(peer.key_file, ssl::context::pem, error);
    if (error) {
        return "the key " + peer.key_file +
               " cannot be read or is not the certificate's: " + error.message();
    }
    return {};
}

/// Why our own certificate would be refused, as far as it tells itself.
std::string own_certificate_problem(const Peer& peer)
{
    const auto own = read_certificate_file(peer.certificate_file);
    if (own && own->not_after <= peer.at) {
        return "it expired on " + date_text(own->not_after);
    }
    return {};
}

Finding judge_failure(const Attempt& attempt, const Peer& peer, const Error& error)
{
    if (attempt.verdict.certificate) {
        return judge_certificate(peer, attempt.verdict);
    }
    if (error == asio::error::eof || error == asio::error::connection_reset ||
        error == ssl::error::stream_truncated) {
        return make_finding(peer, Trouble::closed);
    }
    if (error.category() != asio::error::get_ssl_category()) {
        return make_finding(peer, Trouble::other, error.message());
    }
    return judge_reason(peer, ERR_GET_REASON(static_cast<unsigned long>(error.value())));
}

asio::awaitable<Status> connect(Shared attempt, tcp::endpoint endpoint)
{
    const auto [error] = co_await attempt->stream.next_layer().async_connect(endpoint, as_result);
    co_return error ? Status(error) : Status();
}

asio::awaitable<Status> shake_hands(Shared attempt)
{
    const auto [error] =
        co_await attempt->stream.async_handshake(ssl::stream_base::client, as_result);
    co_return error ? Status(error) : Status();
}

/// A server of TLS 1.3 refuses our certificate after the handshake has succeeded for us.
asio::awaitable<Status> hear_refusal(Shared attempt)
{
    std::array<char, 1> byte{};
    const auto buffer = asio::buffer(byte);
    const auto [error, count] = co_await attempt->stream.async_read_some(buffer, as_result);
    co_return error ? Status(error) : Status();
}

Finding judge_refusal(const Attempt& attempt, const Peer& peer, const Error& error)
{
    auto finding = judge_failure(attempt, peer, error);
    if (finding.trouble == Trouble::denied && !peer.certificate_file.empty()) {
        if (const auto why = own_certificate_problem(peer); !why.empty()) {
            return make_finding(peer, Trouble::denied, why);
        }
    }
    return finding;
}

}  // namespace

asio::awaitable<Finding> probe(Peer peer, Duration limit)
{
    ssl::context context(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context.native_handle(), cipher_suites);
    if (const auto problem = load_files(context, peer); !problem.empty()) {
        co_return make_finding(peer, Trouble::own_files, problem);
    }
    const auto attempt = std::make_shared<Attempt>(co_await asio::this_coro::executor, context);
    Error error;
    const auto address = asio::ip::make_address(peer.address, error);
    if (!error) {
        error = prepare(*attempt, peer);
    }
    if (error) {
        co_return make_finding(peer, Trouble::other, error.message());
    }
    const tcp::endpoint endpoint(address, peer.port);
    if (const auto done = co_await with_deadline(connect(attempt, endpoint), limit); !done) {
        co_return make_finding(peer, Trouble::unreachable, done.error().message());
    }
    if (const auto done = co_await with_deadline(shake_hands(attempt), limit); !done) {
        co_return done.error() == Fault::timed_out ? make_finding(peer, Trouble::stalled)
                                                   : judge_refusal(*attempt, peer, done.error());
    }
    const auto said = co_await with_deadline(hear_refusal(attempt), refusal_limit);
    if (!said && said.error() != Fault::timed_out && said.error() != asio::error::eof) {
        const auto finding = judge_refusal(*attempt, peer, said.error());
        if (finding.trouble == Trouble::denied) {
            co_return finding;
        }
    }
    co_return make_finding(peer, Trouble::none);
}

}  // namespace gateway::tls
