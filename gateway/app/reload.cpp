// What changes while the gateway runs: its site file and its connection to the platform.
#include "gateway/app/box.hpp"
#include "gateway/config/store_place.hpp"
#include "gateway/config/toml.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr Duration remote_trial = 5min;

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

bool same_store(const StoreSettings& a, const StoreSettings& b)
{
    return std::tie(a.path, a.may_be_volatile, a.budget_bytes, a.free_floor_bytes, a.rating_bytes,
                    a.interval, a.share_percent, a.policy) ==
           std::tie(b.path, b.may_be_volatile, b.budget_bytes, b.free_floor_bytes, b.rating_bytes,
                    b.interval, b.share_percent, b.policy);
}

}  // namespace

void Box::start_uplink()
{
    auto config = uplink_config();
    look_at_certificate(config);
    if (!config) {
        return;
    }
    UplinkHooks hooks{.birth = [this] { return birth(); },
                      .on_event = [this](const Event& event) { tell(event); },
                      .commands = commands(),
                      .health =
                          [this] {
                              return json::object{{"flash", flash_json(intake_.counters(),
                                                                       site_->store.rating_bytes)}};
                          },
                      .certificate_time = [this] { return certificate_time(); },
                      .on_signed_time = [this](WallTime time) { remember_signed_time(time); }};
    uplink_ = std::make_unique<Uplink>(io_.get_executor(), store_worker_, mqtt_worker_, resolver_,
                                       outbox_, clock_, std::move(*config), std::move(hooks));
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

/// What makes `next` no successor of the running one.
Mistakes Box::mistakes_of(const Site& next) const
{
    Mistakes mistakes;
    const auto& now = *site_;
    if (next.id != now.id || next.org != now.org || next.trusts_clock != now.trusts_clock) {
        mistakes.add({next.file}, "gateway",
                     "id, org and clock change with a restart only: sudo systemctl restart "
                     "smart-gateway");
    }
    if (!same_store(next.store, now.store)) {
        mistakes.add({next.file}, "store",
                     "changes with a restart only: sudo systemctl restart smart-gateway");
    }
    return mistakes;
}

/// `confirm_within` other than zero: the change is on trial, and taken back unless the platform is
/// reached with it in that time.
asio::awaitable<Box::Reloaded> Box::reload(Duration confirm_within)
{
    if (std::exchange(reloading_, true)) {
        co_return Reloaded{false, "another reload is under way"};
    }
    Mistakes mistakes;
    auto next = check_site(options_.config, shipped_profiles(), mistakes);
    if (mistakes.empty()) {
        mistakes = mistakes_of(next.site);
    }
    if (!mistakes.empty()) {
        loaded_.problem = mistakes.text();
        tell({"reload-refused", Severity::error, loaded_.problem, {}});
        reloading_ = false;
        co_return Reloaded{false, "Nothing was changed. " + loaded_.problem};
    }
    const auto folder = state_folder(options_.config);
    const auto trial = ++trial_;
    auto text = std::string();
    if (confirm_within > Duration::zero() && begin_trial(folder, next.site.hash)) {
        LoadedSite tried{.configuration = std::move(next)};
        text = co_await apply(std::move(tried)) + " It is on trial.";
        tasks_.spawn("trial", confirm(trial, clock_.now() + confirm_within, progress()));
    } else {
        end_trial(folder);
        auto loaded = load_site(options_.config, shipped_profiles(), folder);
        text = co_await apply(std::move(loaded));
    }
    reloading_ = false;
    co_return Reloaded{true, text};
}

/// Makes it the running configuration; only what is touched restarts.
asio::awaitable<std::string> Box::apply(LoadedSite next)
{
    notifier_.reloading();
    const bool metrics_stay = site_->metrics_listen == next.configuration.site.metrics_listen;
    const bool uplink_stays = same_uplink(*site_, next.configuration.site);
    loaded_ = std::move(next);
    site_ = std::make_shared<const Site>(std::move(loaded_.configuration.site));
    const auto touched = co_await devices_.apply(site_, std::move(loaded_.configuration.devices));
    if (!metrics_stay) {
        co_await close_metrics_port();
        open_metrics_port();
    }
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
    co_return text;
}

/// What rises while the platform is reached.
std::uint64_t Box::progress() const
{
    if (!uplink_) {
        return 0;
    }
    const auto link = uplink_->status();
    return site_->uplink.release == Release::receipt ? link.receipts : link.acknowledged_batches;
}

asio::awaitable<void> Box::confirm(unsigned trial, Instant end, std::uint64_t before)
{
    const auto folder = state_folder(options_.config);
    while (trial == trial_ && progress() <= before && clock_.now() < end) {
        co_await clock_.sleep_until(std::min(end, clock_.now() + 200ms));
    }
    while (trial == trial_ && std::exchange(reloading_, true)) {
        co_await clock_.sleep_until(clock_.now() + 100ms);
    }
    if (trial != trial_) {
        co_return;  // another reload has decided
    }
    if (progress() > before) {
        end_trial(folder);
        static_cast<void>(load_site(options_.config, shipped_profiles(), folder));  // to keep it
        tell({"configuration-confirmed",
              Severity::info,
              "The changed site file has reached the platform and stays.",
              {}});
    } else {
        auto last_good = load_site(options_.config, shipped_profiles(), folder);
        const auto problem = last_good.problem;
        co_await apply(std::move(last_good));
        tell({"configuration-taken-back", Severity::error, problem, {}});
    }
    reloading_ = false;
}

asio::awaitable<void> Box::reload_quietly()
{
    co_await reload(remote_trial);
}

}  // namespace gateway
