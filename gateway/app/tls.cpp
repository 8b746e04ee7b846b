// The box's certificate: which one is in use, at what time it is judged, and how another one comes.
#include "gateway/app/box.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/uplink/utc.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Files that the site names go before what was enrolled.
std::optional<UplinkConfig> Box::uplink_config()
{
    const auto& settings = site_->uplink;
    if (settings.host.empty()) {
        return std::nullopt;
    }
    UplinkConfig config{.org = site_->org,
                        .box = site_->id,
                        .settings = settings,
                        .ca_file = settings.ca,
                        .certificate_file = settings.certificate,
                        .key_file = settings.key};
    if (const auto enrolled = generations_.current();
        settings.tls && settings.certificate.empty() && enrolled) {
        config.certificate_file = enrolled->certificate;
        config.key_file = enrolled->key;
    }
    if (!settings.password_secret.empty()) {
        const auto folder = std::filesystem::path(options_.config).parent_path().string();
        const auto secret = read_secret(settings.password_secret, folder);
        if (!secret) {
            tell({"secret-unreadable",
                  Severity::error,
                  "The secret " + settings.password_secret +
                      " cannot be read: " + secret.error().message(),
                  {}});
        }
        config.password = secret ? *secret : std::string();
    }
    return config;
}

EnrolmentHooks Box::enrolment_hooks()
{
    return {.uplink =
                [this] {
                    auto config = uplink_config();
                    return config && config->settings.tls ? std::move(config) : std::nullopt;
                },
            .certificate_time = [this] { return certificate_time(); },
            .switched = [this] { tasks_.spawn("renewal", renew_uplink()); },
            .on_event = [this](const Event& event) { tell(event); }};
}

void Box::look_at_certificate(const std::optional<UplinkConfig>& config)
{
    certificate_.reset();
    if (!config || config->certificate_file.empty()) {
        return;
    }
    if (const auto certificate = tls::read_certificate_file(config->certificate_file)) {
        certificate_ = *certificate;
    }
}

WallTime Box::certificate_time() const
{
    const auto own = certificate_ ? certificate_->not_before : WallTime();
    auto clock = clock_.wall();
    if (site_->trusts_clock) {
        clock.state = ClockState::synced;
    }
    return tls::judged_at(clock, std::max(newest_signed_, own));
}

void Box::remember_signed_time(WallTime time)
{
    if (time <= newest_signed_) {
        return;
    }
    newest_signed_ = time;
    store_worker_.post([this, text = utc_text(time)] { outbox_.set_state("signed_time", text); });
}

asio::awaitable<void> Box::recall_signed_time()
{
    auto ask = [this] { return outbox_.state("signed_time"); };
    const auto text = co_await store_worker_.run(ask);
    const auto time = text ? utc_from(*text) : std::nullopt;
    newest_signed_ = time.value_or(WallTime());
}

/// Readings go on into the store meanwhile; nothing is sent twice by it.
asio::awaitable<void> Box::renew_uplink()
{
    while (std::exchange(reloading_, true)) {
        co_await clock_.sleep_until(clock_.now() + 100ms);
    }
    co_await stop_uplink();
    start_uplink();
    reloading_ = false;
}

/// The request to sign when there is no certificate, else what became of it.
asio::awaitable<tls::Checked<std::string>> Box::enroll(std::string certificate)
{
    if (certificate.empty()) {
        co_return co_await enrolment_.request();
    }
    co_return co_await enrolment_.install(std::move(certificate));
}

asio::awaitable<json::object> Box::answer_enroll(json::object request)
{
    const std::string certificate(text_of(request, "certificate"));
    const auto outcome = co_await enroll(certificate);
    if (!outcome) {
        co_return refusal(outcome.error().text);
    }
    co_return json::object{{"ok", true}, {certificate.empty() ? "request" : "text", *outcome}};
}

CommandHandler Box::enroll_command()
{
    return [this](json::object arguments) -> asio::awaitable<Answer> {
        const std::string certificate(text_of(arguments, "certificate"));
        const auto outcome = co_await enroll(certificate);
        Answer answer;
        if (!outcome) {
            answer.state = "failed";
            answer.text = outcome.error().text;
        } else if (certificate.empty()) {
            answer.result["request"] = *outcome;
        } else {
            answer.text = *outcome;
        }
        co_return answer;
    };
}

}  // namespace gateway
