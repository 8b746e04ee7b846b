// What changes while the gateway runs: its site file and its connection to the platform.
#include "gateway/app_box.hpp"
#include "gateway/commands.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/config/toml.hpp"

#include <filesystem>
#include <tuple>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

bool same_uplink(const Site& left, const Site& right)
{
    const auto& a = left.uplink;
    const auto& b = right.uplink;
    return std::tie(a.tls, a.host, a.port, a.receiver, a.release, a.mqtt5, a.keep_alive, a.user,
                    a.password_secret, a.ca, a.certificate, a.key, a.history_bytes_per_second,
                    a.in_flight) == std::tie(b.tls, b.host, b.port, b.receiver, b.release, b.mqtt5,
                                             b.keep_alive, b.user, b.password_secret, b.ca,
                                             b.certificate, b.key, b.history_bytes_per_second,
                                             b.in_flight);
}

}  // namespace

void Box::start_uplink()
{
    const auto& settings = site_->uplink;
    if (settings.host.empty()) {
        return;
    }
    UplinkConfig config{.org = site_->org,
                        .box = site_->id,
                        .settings = settings,
                        .ca_file = settings.ca,
                        .certificate_file = settings.certificate,
                        .key_file = settings.key};
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
    UplinkHooks hooks{.birth = [this] { return birth(); },
                      .on_event = [this](const Event& event) { tell(event); },
                      .commands = commands(),
                      .health =
                          [this] {
                              return json::object{{"flash", flash_json(intake_.counters(),
                                                                       site_->store.rating_bytes)}};
                          }};
    uplink_ = std::make_unique<Uplink>(io_.get_executor(), store_worker_, mqtt_worker_, resolver_,
                                       outbox_, clock_, std::move(config), std::move(hooks));
    uplink_task_.spawn("uplink", uplink_->run());
    tasks_.spawn("uplink", uplink_task_.join());  // a failure there is one of the box
}

asio::awaitable<void> Box::stop_uplink()
{
    if (uplink_) {
        co_await uplink_->stop(2s);
        uplink_task_.cancel();  // a look-up or a connect under way would take its time
        co_await uplink_task_.join();
        uplink_.reset();
    }
}

asio::awaitable<Box::Reloaded> Box::reload()
{
    if (std::exchange(reloading_, true)) {
        co_return Reloaded{false, "another reload is under way"};
    }
    Mistakes mistakes;
    auto next = check_site(options_.config, shipped_profiles(), mistakes);
    const auto& now = *site_;
    if (mistakes.empty() &&
        (next.site.id != now.id || next.site.org != now.org ||
         next.site.store.path != now.store.path || next.site.trusts_clock != now.trusts_clock)) {
        mistakes.add({next.site.file}, "gateway",
                     "id, org, clock and the store's path change with a restart only");
    }
    if (!mistakes.empty()) {
        loaded_.problem = mistakes.text();
        tell({"reload-refused", Severity::error, loaded_.problem, {}});
        reloading_ = false;
        co_return Reloaded{false, "Nothing was changed. " + loaded_.problem};
    }
    notifier_.reloading();
    const bool uplink_stays = same_uplink(now, next.site);
    loaded_ = load_site(options_.config, shipped_profiles(), state_folder(options_));
    site_ = std::make_shared<const Site>(loaded_.configuration.site);
    const auto touched = co_await devices_.apply(site_, loaded_.configuration.devices);
    if (!uplink_stays) {
        co_await stop_uplink();
        start_uplink();
    } else if (uplink_) {
        uplink_->birth_changed();
    }
    record_configuration();
    const auto text =
        "Reloaded: " + std::to_string(touched) + " of " + std::to_string(devices_.all().size()) +
        " devices restarted, the connection " + (uplink_stays ? "kept." : "made anew.");
    tell({"reloaded", Severity::info, text, {}});
    notifier_.ready("running");
    reloading_ = false;
    co_return Reloaded{true, text};
}

asio::awaitable<void> Box::reload_quietly()
{
    co_await reload();
}

}  // namespace gateway
