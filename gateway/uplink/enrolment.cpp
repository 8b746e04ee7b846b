#include "gateway/uplink/enrolment.hpp"

#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tls::Checked;
using tls::Problem;
using Files = tls::Generations::Files;

namespace {

constexpr Duration look_up_limit = 10s;
constexpr Duration between_trials = 5min;

/// The other side has said no to this certificate; anything else says nothing about it.
bool is_refusal(const Error& error, const tls::Finding& finding)
{
    return error == Error(mqtt::not_authorized, mqtt::reason_category()) ||
           error == Error(mqtt::bad_user_or_password, mqtt::reason_category()) ||
           finding.trouble == tls::Trouble::denied || finding.trouble == tls::Trouble::own_files;
}

}  // namespace

Enrolment::Enrolment(asio::any_io_executor executor, Worker& store, Worker& mqtt,
                     Resolver& resolver, std::string box, tls::Generations generations,
                     EnrolmentHooks hooks)
    : executor_(executor),
      store_(store),
      mqtt_(mqtt),
      resolver_(resolver),
      box_(std::move(box)),
      generations_(std::move(generations)),
      hooks_(std::move(hooks)),
      timer_(executor)
{
}

asio::awaitable<Checked<std::string>> Enrolment::request()
{
    auto make = [this]() -> std::optional<Checked<std::string>> {
        return generations_.request(box_);
    };
    co_return *co_await store_.run(make);
}

asio::awaitable<Checked<std::string>> Enrolment::install(std::string certificate_pem)
{
    if (std::exchange(busy_, true)) {
        co_return Problem{"another certificate is being tried; wait a minute"};
    }
    const auto now = hooks_.certificate_time();
    auto offer = [this, now, &certificate_pem]() -> std::optional<Checked<Files>> {
        return generations_.offer(certificate_pem, box_, now);
    };
    const auto offered = *co_await store_.run(offer);
    auto outcome = tls::fine({});
    if (offered) {
        outcome = co_await decide(*offered);
    } else {
        outcome = offered.error();
    }
    busy_ = false;
    co_return outcome;
}

asio::awaitable<void> Enrolment::watch()
{
    for (;; co_await timer_.wait(between_trials)) {
        auto look = [this] { return generations_.candidate(); };
        const auto files = co_await store_.run(look);
        if (!files || std::exchange(busy_, true)) {
            continue;
        }
        const auto outcome = co_await decide(*files);
        busy_ = false;
        if (!outcome) {
            hooks_.on_event({"certificate-refused", Severity::error, outcome.error().text, ""});
        }
    }
}

/// Tries it, then switches to it, drops it, or leaves it for later.
asio::awaitable<Checked<std::string>> Enrolment::decide(Files files)
{
    auto ask = [this] { return generations_.current().has_value(); };
    const bool replaces = co_await store_.run(ask);
    const auto trial = co_await attempt(files);
    if (trial.end == Trial::End::refused) {
        auto drop = [this, files] { return generations_.refuse(files).has_value(); };
        co_await store_.run(drop);
        co_return Problem{"The certificate was not taken, nothing has changed: " + trial.text};
    }
    if (trial.end == Trial::End::not_tried && replaces) {
        co_return tls::fine(
            "The certificate is kept and tried again until it works; the old one stays in use "
            "meanwhile: " +
            trial.text);
    }
    if (const auto switched = co_await accept(files); !switched) {
        co_return Problem{"The certificate works and cannot be kept: " +
                          switched.error().message()};
    }
    const std::string how = trial.end == Trial::End::worked
                                ? "The certificate works and is in use."
                                : "The certificate is in use; it could not be tried: " + trial.text;
    hooks_.on_event({"certificate-switched", Severity::info, how, ""});
    hooks_.switched();
    co_return tls::fine(how);
}

/// A connection of its own: another name at the broker, so that the one in use is not taken over,
/// and no will.
asio::awaitable<Enrolment::Trial> Enrolment::attempt(Files files)
{
    using End = Trial::End;
    auto config = hooks_.uplink();
    if (!config) {
        co_return Trial{End::not_tried, "no platform with mqtts:// is configured"};
    }
    config->certificate_file = files.certificate;
    config->key_file = files.key;
    const auto address = co_await resolver_.resolve(config->settings.host, look_up_limit);
    if (!address) {
        co_return Trial{End::not_tried, "cannot look up " + config->settings.host};
    }
    auto options = connect_options(*config, *address, hooks_.certificate_time());
    options.client_id += ".probe";
    mqtt::Client client(executor_, mqtt_, std::move(options));
    const auto session = co_await client.connect();
    if (session) {
        co_await client.disconnect(1s);
        co_return Trial{End::worked, {}};
    }
    co_return Trial{is_refusal(session.error(), client.finding()) ? End::refused : End::not_tried,
                    client.problem()};
}

asio::awaitable<Status> Enrolment::accept(Files files)
{
    auto accept = [this, files] { return std::optional(generations_.accept(files)); };
    co_return *co_await store_.run(accept);
}

}  // namespace gateway
