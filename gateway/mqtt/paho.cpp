#include "gateway/mqtt/paho.hpp"

#include "gateway/tls/probe.hpp"

#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace gateway::mqtt {

namespace {

constexpr int mqtt_3_1_1 = 4;
constexpr int mqtt_5 = 5;

int version(const Options& options)
{
    return options.mqtt5 ? mqtt_5 : mqtt_3_1_1;
}

/// OpenSSL's parameters for checking a server, for this process. A connection's own go before them.
X509_VERIFY_PARAM* server_parameters()
{
    constexpr const char* purpose = "ssl_server";
    static X509_VERIFY_PARAM* const ours = [] {
        auto* made = X509_VERIFY_PARAM_new();
        X509_VERIFY_PARAM_set1_name(made, purpose);
        X509_VERIFY_PARAM_set_purpose(made, X509_PURPOSE_SSL_SERVER);
        X509_VERIFY_PARAM_set_trust(made, X509_TRUST_SSL_SERVER);
        X509_VERIFY_PARAM_add0_table(made);  // never freed: OpenSSL has it
        return made;
    }();
    return ours;
}

/// The library checks a certificate against the address in its URI, and at the system's time. We
/// connect to addresses, and a box may know better what time it is.
void expect_server(const Options& options)
{
    auto* parameters = server_parameters();
    X509_VERIFY_PARAM_set1_host(parameters, options.server_name.c_str(),
                                options.server_name.size());
    if (options.certificate_time) {
        const auto time = std::chrono::floor<std::chrono::seconds>(*options.certificate_time);
        X509_VERIFY_PARAM_set_time(parameters, time.time_since_epoch().count());
    }
}

paho::ssl_options ssl_options(const Options& options)
{
    paho::ssl_options ssl;
    if (!options.ca_file.empty()) {
        ssl.set_trust_store(options.ca_file);
    }
    if (!options.certificate_file.empty()) {
        ssl.set_key_store(options.certificate_file);
        ssl.set_private_key(options.key_file);
    }
    ssl.set_enabled_cipher_suites(tls::cipher_suites);
    ssl.set_enable_server_cert_auth(true);
    ssl.set_verify(options.server_name.empty());
    expect_server(options);
    return ssl;
}

/// A 3.1.1 CONNACK refuses with 1 to 5; the same in MQTT 5.
int reason_of_3_1_1(int code)
{
    constexpr std::array<int, 6> reasons{0, 132, 133, 136, bad_user_or_password, not_authorized};
    return code > 0 && code < static_cast<int>(reasons.size())
               ? reasons.at(static_cast<std::size_t>(code))
               : 0;
}

}  // namespace

const boost::system::error_category& reason_category() noexcept
{
    struct Category final : boost::system::error_category {
        const char* name() const noexcept override { return "mqtt"; }
        std::string message(int code) const override
        {
            const char* text = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(code));
            return text ? text : "MQTT reason code " + std::to_string(code);
        }
    };
    static const Category instance;
    return instance;
}

void expect_anything()
{
    auto* parameters = server_parameters();
    X509_VERIFY_PARAM_set1_host(parameters, nullptr, 0);
    X509_VERIFY_PARAM_clear_flags(parameters, X509_V_FLAG_USE_CHECK_TIME);
}

std::string uri(const Options& options)
{
    const bool ipv6 = options.address.find(':') != std::string::npos;
    return (options.tls ? "ssl://" : "tcp://") +
           (ipv6 ? "[" + options.address + "]" : options.address) + ":" +
           std::to_string(options.port);
}

paho::create_options create_options(const Options& options)
{
    // The library counts what is in flight as buffered, also while connected.
    return {version(options), static_cast<int>(options.most_in_flight)};
}

paho::connect_options connect_options(const Options& options)
{
    paho::connect_options connect;
    connect.set_mqtt_version(version(options));
    if (options.mqtt5) {
        constexpr std::int32_t longest_absence = 7 * 24 * 3600;  // in seconds
        connect.set_clean_start(!options.keep_session);
        if (options.keep_session) {
            connect.set_properties(
                {paho::property(paho::property::SESSION_EXPIRY_INTERVAL, longest_absence)});
        }
    } else {
        connect.set_clean_session(!options.keep_session);
    }
    connect.set_automatic_reconnect(false);
    connect.set_keep_alive_interval(options.keep_alive);
    connect.set_connect_timeout(std::chrono::ceil<std::chrono::seconds>(options.connect_timeout));
    connect.set_max_inflight(static_cast<int>(options.most_in_flight));
    if (!options.user.empty()) {
        connect.set_user_name(options.user);
        connect.set_password(options.password);
    }
    if (options.will) {
        connect.set_will_message(
            paho::make_message(options.will->topic, options.will->payload.data(),
                               options.will->payload.size(), 1, options.will->retained));
    }
    if (options.tls) {
        connect.set_ssl(ssl_options(options));
    }
    return connect;
}

void* context_of(std::uintptr_t id)
{
    return reinterpret_cast<void*>(id);  // NOLINT(performance-no-int-to-ptr): an id, no pointer
}

std::uintptr_t id_of(const paho::token& token)
{
    return reinterpret_cast<std::uintptr_t>(token.get_user_context());
}

Session session_of(const paho::token& connected)
{
    Session session;
    const auto response = connected.get_connect_response();
    const auto& properties = response.get_properties();
    if (properties.contains(paho::property::RECEIVE_MAXIMUM)) {
        session.receive_maximum =
            paho::get<std::uint16_t>(properties, paho::property::RECEIVE_MAXIMUM);
    }
    if (properties.contains(paho::property::MAXIMUM_PACKET_SIZE)) {
        session.maximum_packet_size =
            paho::get<std::uint32_t>(properties, paho::property::MAXIMUM_PACKET_SIZE);
    }
    return session;
}

Failure failure_of(const paho::token& failed)
{
    const int code = failed.get_return_code();
    int reason = static_cast<int>(failed.get_reason_code());
    if (failed.get_type() == paho::token::CONNECT) {
        // A refusal's code comes as the library's own code, in MQTT 5 as well.
        reason = reason == paho::ReasonCode::MQTTPP_V3_CODE ? reason_of_3_1_1(code) : code;
    } else if (reason == paho::ReasonCode::MQTTPP_V3_CODE) {
        reason = 0;
    }
    if (reason >= paho::ReasonCode::UNSPECIFIED_ERROR) {
        const Error error(reason, reason_category());
        return {error, error.message()};
    }
    return {make_error_code(Fault::closed), paho::exception::printable_error(code)};
}

Failure failure_of(const paho::exception& thrown)
{
    return {make_error_code(Fault::closed), thrown.what()};
}

}  // namespace gateway::mqtt
