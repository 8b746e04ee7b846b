#include "gateway/app/box.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/store_place.hpp"
#include "gateway/runtime/log.hpp"
#include "gateway/runtime/memory.hpp"
#include "gateway/uplink/utc.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration longest_job = 120s;
constexpr std::uint64_t flash_life_days = 3'650;
constexpr std::uint16_t event_row = 0;  // of device 0: schemas/protocol.md, section 2.3
constexpr std::uint16_t configuration_row = 5;

BootId read_boot_id()
{
    // systemd hides /proc/sys from the sandbox and hands the id over instead.
    const char* given = std::getenv("BOOT_ID");  // NOLINT(concurrency-mt-unsafe): before any thread
    const auto text = given != nullptr ? Result<std::string>(std::string(given))
                                       : read_file("/proc/sys/kernel/random/boot_id", 64);
    const auto line = text ? text->substr(0, text->find('\n')) : std::string();
    const auto id = BootId::from_hex(line);
    if (!id) {
        throw std::runtime_error("the kernel's boot id cannot be read");
    }
    return *id;
}

OutboxSettings outbox_settings(const Site& site, const BootId& boot)
{
    return {.directory = site.store.path,
            .box = site.id,
            .boot = boot,
            .budget_bytes = site.store.budget_bytes,
            .share_percent = site.store.share_percent,
            .policy = site.store.policy,
            .free_floor_bytes = site.store.free_floor_bytes};
}

LogLevel log_level(Severity severity)
{
    switch (severity) {
        case Severity::info:
            return LogLevel::info;
        case Severity::warning:
            return LogLevel::warning;
        case Severity::error:
            return LogLevel::error;
    }
    return LogLevel::error;
}

// What the start, the first connection or a drain needed is not kept.
asio::awaitable<void> stay_small(Clock& clock)
{
    give_back_memory();
    for (Duration pause = 1min;; pause = 1h) {
        co_await clock.sleep_until(clock.now() + pause);
        give_back_memory();
    }
}

}  // namespace

Box::Box(RunOptions options, LoadedSite loaded)
    : options_(std::move(options)),
      loaded_(std::move(loaded)),
      site_(std::make_shared<const Site>(std::move(loaded_.configuration.site))),
      boot_(read_boot_id()),
      notifier_(take_notify_socket()),
      outbox_(outbox_settings(*site_, boot_)),
      intake_(io_.get_executor(), store_worker_, outbox_, clock_,
              {.interval = site_->store.interval,
               .spool_directory = options_.runtime + "/spool",
               .flash_bytes_per_day = site_->store.rating_bytes / flash_life_days,
               .policy = site_->store.policy}),
      devices_(
          {.drivers = {io_.get_executor(), buses_, resolver_, clock_, files_,
                       std::filesystem::absolute(options_.config).parent_path(), &brokers_},
           .sink = sink_,
           .intake = intake_,
           .event = [this](const Event& event) { tell(event); },
           .changed =
               [this] {
                   if (uplink_) {
                       uplink_->birth_changed();
                   }
               },
           .maintained_until = [this](const std::string& id) { return maintained_until(id); }}),
      generations_(state_folder(options_.config) + "/tls"),
      enrolment_(io_.get_executor(), store_worker_, mqtt_worker_, resolver_, site_->id,
                 generations_, enrolment_hooks()),
      control_(
          io_.get_executor(), options_.runtime + "/control.sock",
          [this](json::object request, Reply& reply) { return answer(std::move(request), reply); }),
      metrics_(io_.get_executor(), options_.runtime + "/metrics.sock",
               [this](MetricsFormat format) { return metrics(format); })
{
}

void Box::run()
{
    std::exception_ptr failure;
    asio::co_spawn(io_, live(), [&failure](std::exception_ptr thrown) { failure = thrown; });
    io_.run();
    mqtt_worker_.join();
    store_worker_.join();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

asio::awaitable<void> Box::live()
{
    co_await start();
    co_await look_at_store();
    log(LogLevel::info, "gateway started",
        {{"box", site_->id},
         {"epoch", store_seen_.epoch.hex()},
         {"devices", devices_.all().size()}});
    notifier_.ready("running");
    tasks_.spawn("signals", wait_for_signals());
    std::exception_ptr failure;
    try {
        co_await tasks_.join();
    } catch (...) {
        failure = std::current_exception();
    }
    co_await stop(!failure);
    if (failure) {
        std::rethrow_exception(failure);
    }
    log(LogLevel::info, "gateway stopped", {{"box", site_->id}});
}

asio::awaitable<void> Box::start()
{
    co_await recall_value();
    intake_.on_event([this](const Event& event) { tell(event); });
    co_await intake_.recover_spool();
    co_await remember_first_start();
    co_await recall_signed_time();
    tasks_.spawn("intake", intake_.run());
    intake_.on_durable([this](const std::vector<StoredBatch>& batches) {
        if (uplink_) {
            uplink_->offer(batches);
        }
    });
    intake_.on_epochs_changed([this] {
        if (uplink_) {
            uplink_->birth_changed();
        }
    });
    record_configuration();
    if (!loaded_.problem.empty()) {
        tell({"configuration-bad", Severity::error, loaded_.problem, {}});
    }
    co_await devices_.apply(site_, std::move(loaded_.configuration.devices));
    start_uplink();
    tasks_.spawn("enrolment", enrolment_.watch());
    tasks_.spawn("control", control_.run());
    tasks_.spawn("metrics", metrics_.run());
    open_metrics_port();
    tasks_.spawn("watchdog", feed_watchdog());
    tasks_.spawn("clock", watch_clock());
    tasks_.spawn("value", keep_value());
    tasks_.spawn("maintenance", watch_maintenance());
    tasks_.spawn("memory", stay_small(clock_));
}

void Box::record_configuration()
{
    record(configuration_row,
           {{"type", "configuration"}, {"hash", site_->hash}, {"text", loaded_.source}});
}

asio::awaitable<void> Box::remember_first_start()
{
    const auto wall = clock_.wall();
    const auto began =
        wall.wall - std::chrono::floor<std::chrono::milliseconds>(clock_.now() - started_);
    auto remember = [this, wall, began] {
        if (!outbox_.state("first_start") && wall.state != ClockState::unset) {
            outbox_.set_state("first_start", utc_text(began));
        }
        return outbox_.state("first_start");
    };
    const auto text = co_await store_worker_.run(remember);
    first_start_ = text ? utc_from(*text) : std::nullopt;
}

asio::awaitable<void> Box::wait_for_signals()
{
    for (;;) {
        const auto [error, number] = co_await signals_.async_wait(as_result);
        if (error || number != SIGHUP) {
            break;
        }
        co_await reload();
    }
    tasks_.cancel();
}

asio::awaitable<void> Box::stop(bool store_works)
{
    notifier_.stopping();
    co_await control_.stop();
    co_await close_metrics_port();
    co_await metrics_.stop();
    if (store_works) {
        co_await record_value(true);  // while there are devices to tell of
    }
    co_await devices_.stop();
    if (store_works) {
        co_await intake_.flush();
    }
    co_await stop_uplink();
    if (!store_works) {
        co_return;
    }
    const Moment moment{std::chrono::floor<std::chrono::milliseconds>(clock_.now()), clock_.wall()};
    auto close = [this, moment] {
        outbox_.close_epoch(moment);
        return true;
    };
    co_await store_worker_.run(close);
}

asio::awaitable<void> Box::feed_watchdog()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const auto limit = watchdog_interval(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"));
    const Duration pause = limit ? Duration(*limit) / 2 : Duration(10s);
    for (;;) {
        if (std::max(store_worker_.busy_for(), mqtt_worker_.busy_for()) <= longest_job) {
            notifier_.alive();
        }
        co_await clock_.sleep_until(clock_.now() + pause);
    }
}

asio::awaitable<void> Box::watch_clock()
{
    for (;;) {
        co_await clock_.wait_for_step();
        tell({"clock-set",
              Severity::info,
              "The clock was set; it now says " + utc_text(clock_.wall().wall) + ".",
              {}});
        if (uplink_) {
            uplink_->birth_changed();
            uplink_->try_now();  // a certificate may be valid now
        }
    }
}

void Box::tell(const Event& event)
{
    log(log_level(event.severity), event.code, {{"subject", event.subject}, {"text", event.text}});
    if (const auto wall = clock_.wall(); wall.state != ClockState::unset) {
        value_.note(event, wall.wall);
    }
    record(event_row, {{"type", "event"},
                       {"code", event.code},
                       {"severity", to_string(event.severity)},
                       {"text", event.text},
                       {"subject", event.subject}});
    if (uplink_ && (event.code.starts_with("store-") || event.code == "disk-full")) {
        uplink_->birth_changed();  // the event itself waits with the readings
    }
}

void Box::record(std::uint16_t row, const json::object& content)
{
    const Reading reading{.alias = {0, row},
                          .time = std::chrono::floor<std::chrono::milliseconds>(clock_.now()),
                          .value = Value::of_text(json::serialize(content))};
    sink_.accept(Lane::control, {&reading, 1});
}

int run_gateway(const RunOptions& options)
{
    auto loaded = load_site(options.config, shipped_profiles(), state_folder(options.config));
    std::filesystem::create_directories(options.runtime + "/spool");
    Box box(options, std::move(loaded));
    box.run();
    return 0;
}

}  // namespace gateway
