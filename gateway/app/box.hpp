#pragma once

#include "drivers/mqtt_json/broker.hpp"
#include "gateway/admin/control.hpp"
#include "gateway/app/app.hpp"
#include "gateway/app/devices.hpp"
#include "gateway/app/maintenance.hpp"
#include "gateway/app/reading_row.hpp"
#include "gateway/app/status.hpp"
#include "gateway/app/tail.hpp"
#include "gateway/app/value.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/metrics/server.hpp"
#include "gateway/runtime/notify.hpp"
#include "gateway/runtime/system_clock.hpp"
#include "gateway/tls/judged_time.hpp"
#include "gateway/uplink/enrolment.hpp"
#include "gateway/uplink/uplink.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <string>

namespace gateway {

/// The running gateway: makes all parts, joins them, and takes them down in the order of the data.
/// Lives on the main thread, which is the loop's.
class Box {
public:
    /// Opens the store and binds the control socket; throws StoreError or std::system_error.
    Box(RunOptions options, LoadedSite loaded);
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;

    /// Runs until SIGTERM or SIGINT.
    void run();

private:
    boost::asio::awaitable<void> live();
    boost::asio::awaitable<void> start();
    boost::asio::awaitable<void> wait_for_signals();
    boost::asio::awaitable<void> stop(bool store_works);
    boost::asio::awaitable<void> feed_watchdog();
    boost::asio::awaitable<void> watch_clock();

    boost::asio::awaitable<void> remember_first_start();
    void tell(const Event& event);
    void record(std::uint16_t row, const json::object& content);
    void record_configuration();

    // record.cpp
    boost::asio::awaitable<void> recall_value();
    boost::asio::awaitable<void> keep_value();
    void look_for_value(WallTime now);
    boost::asio::awaitable<void> record_value(bool is_last);

    // metrics.cpp
    boost::asio::awaitable<std::string> metrics(MetricsFormat format);
    void open_metrics_port();
    boost::asio::awaitable<void> close_metrics_port();

    // reload.cpp
    void start_uplink();
    boost::asio::awaitable<void> stop_uplink();
    struct Reloaded {
        bool done = false;
        std::string text;
    };
    boost::asio::awaitable<Reloaded> reload(Duration confirm_within = Duration::zero());
    boost::asio::awaitable<std::string> apply(LoadedSite next);
    boost::asio::awaitable<void> confirm(unsigned trial, Instant end, std::uint64_t before);
    Mistakes mistakes_of(const Site& next) const;
    std::uint64_t progress() const;
    boost::asio::awaitable<void> reload_quietly();  ///< the outcome is an event

    // tls.cpp
    std::optional<UplinkConfig> uplink_config();
    EnrolmentHooks enrolment_hooks();
    void look_at_certificate(const std::optional<UplinkConfig>& config);
    WallTime certificate_time() const;
    void remember_signed_time(WallTime time);
    boost::asio::awaitable<void> recall_signed_time();
    boost::asio::awaitable<void> renew_uplink();
    boost::asio::awaitable<tls::Checked<std::string>> enroll(std::string certificate);
    boost::asio::awaitable<json::object> answer_enroll(json::object request);
    CommandHandler enroll_command();

    // control.cpp
    boost::asio::awaitable<void> answer(json::object request, Reply& reply);
    boost::asio::awaitable<void> answer_read(std::string id, Reply& reply);
    boost::asio::awaitable<void> answer_tail(Reply& reply);
    boost::asio::awaitable<Result<std::vector<ReadingRow>>> read_rows(std::string id);
    boost::asio::awaitable<void> look_at_store();
    boost::asio::awaitable<json::object> status();
    Duration failing_for(const std::string& subject, Duration at_least) const;
    BirthInput birth() const;
    CommandHandlers commands();

    // people.cpp
    json::object answer_why(const std::string& id) const;
    boost::asio::awaitable<json::object> answer_maintain(json::object request);
    void recall_maintenance(const std::optional<std::string>& text);
    std::optional<Instant> maintained_until(const std::string& device) const;
    void note_maintenance(const std::string& id, bool begins, const std::string& why);
    boost::asio::awaitable<void> answer_scan(json::object request, Reply& reply);
    boost::asio::awaitable<json::object> answer_store();
    boost::asio::awaitable<void> save_maintenance();
    boost::asio::awaitable<void> watch_maintenance();

    RunOptions options_;
    LoadedSite loaded_;                 // its site and devices have moved to where they are used
    std::shared_ptr<const Site> site_;  // shared with devices, which may outlive a reload
    BootId boot_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_{io_, SIGINT, SIGTERM, SIGHUP};
    Notifier notifier_;
    SystemClock clock_{io_.get_executor(), site_->trusts_clock};
    Instant started_ = clock_.now(), value_saved_{};
    Worker store_worker_, mqtt_worker_;
    Resolver resolver_{io_.get_executor()};
    FileWorker files_{io_.get_executor()};
    Buses buses_{io_.get_executor(), resolver_};
    mqtt_json::Brokers brokers_{io_.get_executor(), mqtt_worker_, resolver_};
    Outbox outbox_;
    Intake intake_;
    StoreView store_seen_;  // when it was last asked
    WatchedIntake sink_{intake_};
    Devices devices_;
    std::unique_ptr<Uplink> uplink_;
    tls::Generations generations_;
    Enrolment enrolment_;
    std::optional<tls::Certificate> certificate_;  // the one in use
    WallTime newest_signed_{};
    ControlServer control_;
    MetricsServer metrics_;
    std::unique_ptr<MetricsServer> metrics_port_;
    TaskGroup metrics_port_task_{io_.get_executor()}, uplink_task_{io_.get_executor()};
    TaskGroup tasks_{io_.get_executor()};
    std::optional<WallTime> first_start_;
    ValueRecord value_;
    MaintenanceBook maintenance_;
    Signal maintenance_begun_{io_.get_executor()};
    std::uint64_t sent_bytes_ = 0;
    bool reloading_ = false, scanning_ = false;
    unsigned trial_ = 0;  // of a changed site file; counts, so that an older one gives up
};

}  // namespace gateway
