#include "gateway/app/figures.hpp"

#include "gateway/metrics/process.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gateway {

namespace {

double in_seconds(Duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

// A device's own codes are many: together they are one.
std::string cause_label(Cause cause)
{
    return cause < Cause::exception_base ? to_string(cause) : "exception";
}

void add_box(MetricsPage& page, const BoxFigures& box)
{
    page.gauge("smart_gateway_info", "Which box this is, and its version; always 1.")
        .add(1, {{"box", box.box}, {"org", box.org}, {"version", GATEWAY_VERSION}});
    page.gauge("smart_gateway_configuration_bad",
               "1 while the site file is bad and the last good one is used.")
        .add(box.configuration_bad);
    page.gauge("smart_gateway_worker_busy_seconds",
               "How long a worker has been busy with one job; over 120 the watchdog acts.")
        .add(in_seconds(box.store_busy), {{"worker", "store"}})
        .add(in_seconds(box.mqtt_busy), {{"worker", "mqtt"}});
    page.gauge("smart_gateway_clock_state", "1 at the state that the wall clock is in.");
    for (const auto state : {ClockState::unset, ClockState::holdover, ClockState::synced}) {
        page.add(box.clock.state == state, {{"state", to_string(state)}});
    }
    page.gauge("smart_gateway_clock_error_seconds",
               "Bound of the clock's error, when it is known.");
    if (box.clock.error_ms != ClockReading{}.error_ms) {
        page.add(box.clock.error_ms / 1e3);
    }
    page.gauge("smart_gateway_certificate_end_timestamp_seconds",
               "When the certificate of the box ends, Unix time.");
    if (box.certificate_ends) {
        page.add(timestamp_of(*box.certificate_ends));
    }
}

void add_intake(MetricsPage& page, const BoxFigures& box)
{
    const auto& intake = box.intake;
    page.counter("smart_gateway_readings_accepted", "Readings accepted for the store.")
        .add(intake.accepted);
    page.counter("smart_gateway_readings_durable", "Readings that became durable.")
        .add(intake.committed);
    page.counter("smart_gateway_commits", "Commits, each with a sync of the disk.")
        .add(intake.commits);
    page.counter("smart_gateway_batches_stored_bytes", "Bytes of the batches that became durable.")
        .add(intake.bytes);
    page.counter("smart_gateway_flash_written_bytes",
                 "Written by this program since its first start, kept over restarts.")
        .add(intake.written.total);
    page.counter("smart_gateway_flash_device_written_bytes",
                 "Written to the disk under the store, by whomever, where that can be seen.")
        .add(intake.written.device_total);
    page.gauge("smart_gateway_flash_life_left_seconds",
               "How long the flash lasts at the rate so far, when [store] rating is given.");
    if (const auto days = intake.written.days_left(box.rated_bytes)) {
        constexpr double day = 86'400;
        page.add(static_cast<double>(*days) * day);
    }
    page.gauge("smart_gateway_commit_stretch_ratio",
               "How much longer than their interval batches wait, to spare the flash.")
        .add(intake.stretch);
}

void add_lanes(MetricsPage& page, const std::optional<BoxFigures::Store>& store)
{
    const auto per_lane = [&](auto value) {
        for (const auto lane : all_lanes) {
            if (store) {
                page.add(value(index_of(lane)), {{"lane", to_string(lane)}});
            }
        }
    };
    page.gauge("smart_gateway_outbox_queued_readings",
               "Readings in the store that the platform has not committed.");
    per_lane([&](std::size_t lane) {
        std::uint64_t queued = 0;
        for (const auto& epoch : store->epochs) {
            queued += epoch.lanes[lane].queued;
        }
        return queued;
    });
    page.counter("smart_gateway_readings_numbered",
                 "Sequences given in this epoch: readings durable or declared lost.");
    per_lane([&](std::size_t lane) {
        return store->epochs.empty() ? 0 : store->epochs.back().lanes[lane].head;
    });
    page.counter("smart_gateway_readings_delivered",
                 "Sequences of this epoch that the platform has receipted.");
    per_lane([&](std::size_t lane) { return store->received[lane]; });
    page.counter("smart_gateway_readings_declared_lost",
                 "Readings given up since the start, each declared to the platform.");
    per_lane([&](std::size_t lane) { return store->use.declared_lost[lane]; });
}

void add_store(MetricsPage& page, const std::optional<BoxFigures::Store>& store)
{
    const auto one = [&](std::string_view name, std::string_view help, auto value) {
        page.gauge(name, help);
        if (store) {
            page.add(value(*store));
        }
    };
    one("smart_gateway_store_usable", "0 while no store can be used and readings wait in memory.",
        [](const auto& about) { return about.use.usable; });
    one("smart_gateway_outbox_used_bytes", "Of the store's file, what is in use.",
        [](const auto& about) { return about.use.used_bytes; });
    one("smart_gateway_outbox_budget_bytes", "What the store may use: [store] budget.",
        [](const auto& about) { return about.use.budget_bytes; });
    one("smart_gateway_disk_free_bytes", "Free on the file system of the store.",
        [](const auto& about) { return about.use.free_bytes; });
    add_lanes(page, store);
}

void add_uplink(MetricsPage& page, const std::optional<UplinkStatus>& uplink)
{
    page.gauge("smart_gateway_uplink_configured", "1 when the site file has an [uplink].")
        .add(uplink.has_value());
    const auto link = uplink.value_or(UplinkStatus());
    page.gauge("smart_gateway_uplink_connected", "1 while there is a session with the broker.")
        .add(link.connected);
    page.counter("smart_gateway_uplink_sessions", "Sessions with the broker.").add(link.sessions);
    page.counter("smart_gateway_uplink_sent_batches", "Batches handed to the broker.")
        .add(link.sent_batches);
    page.counter("smart_gateway_uplink_sent_bytes", "Bytes of these batches.").add(link.sent_bytes);
    page.counter("smart_gateway_uplink_acknowledged_batches",
                 "Batches that the broker acknowledged, which frees nothing.")
        .add(link.acknowledged_batches);
    page.counter("smart_gateway_uplink_receipts", "Receipts of the platform.").add(link.receipts);
    page.counter("smart_gateway_uplink_receipts_ignored",
                 "Entries of receipts that named an epoch this store does not know.")
        .add(link.ignored_receipts);
    page.counter("smart_gateway_uplink_commands_refused", "Commands that were refused.")
        .add(link.refused_commands);
    page.gauge("smart_gateway_uplink_in_flight_batches", "Sent and not yet acknowledged.")
        .add(link.in_flight);
    page.gauge("smart_gateway_uplink_unreceipted_batches", "Acknowledged and not yet receipted.")
        .add(link.unreceipted);
    page.gauge("smart_gateway_uplink_live_batches", "Live batches that wait to be sent.")
        .add(link.live_queue);
    page.gauge("smart_gateway_uplink_acknowledged_timestamp_seconds",
               "The latest acknowledgement, Unix time.");
    if (link.last_acknowledgement) {
        page.add(timestamp_of(*link.last_acknowledgement));
    }
    page.gauge("smart_gateway_uplink_receipt_timestamp_seconds", "The latest receipt, Unix time.");
    if (link.last_receipt) {
        page.add(timestamp_of(*link.last_receipt));
    }
}

using Listed = std::span<const BoxFigures::Device>;

void add_device_states(MetricsPage& page, Listed devices, Instant now)
{
    const auto each = [&](std::string_view name, std::string_view help, auto value) {
        page.gauge(name, help);
        for (const auto& device : devices) {
            page.add(value(device.status), {{"device", device.id}});
        }
    };
    each("smart_gateway_device_enabled", "0 when the site file has the device switched off.",
         [](const auto& status) { return status.enabled; });
    each("smart_gateway_device_answering", "1 while the device answers.",
         [](const auto& status) { return status.answering; });
    each("smart_gateway_device_maintenance", "1 while the device is in maintenance.",
         [](const auto& status) { return status.maintenance_until.has_value(); });
    each("smart_gateway_device_mismatch", "1 when it is another device than its profile says.",
         [](const auto& status) { return status.identified.verdict == IdentityVerdict::mismatch; });
    page.gauge("smart_gateway_device_good_reading_age_seconds",
               "Since the latest good reading of any of its points, once there was one.");
    for (const auto& device : devices) {
        if (const auto& good = device.status.last_good) {
            page.add(std::max(0.0, in_seconds(now - *good)), {{"device", device.id}});
        }
    }
}

void add_device_counts(MetricsPage& page, Listed devices)
{
    page.counter("smart_gateway_device_polls",
                 "Polls by how they ended; of a device that talks, messages and silences.");
    for (const auto& [id, status] : devices) {
        page.add(status.answered, {{"device", id}, {"result", "answered"}});
        page.add(status.failed, {{"device", id}, {"result", "failed"}});
    }
    page.counter("smart_gateway_device_slots",
                 "Due points by what became of them; those missed are counted by cause.");
    for (const auto& [id, status] : devices) {
        page.add(status.slots.good, {{"device", id}, {"result", "good"}});
        page.add(status.slots.other, {{"device", id}, {"result", "other"}});
        page.add(status.slots.suppressed, {{"device", id}, {"result", "suppressed"}});
    }
    page.counter("smart_gateway_device_missed_slots", "Due points that were not read, by cause.");
    for (const auto& [id, status] : devices) {
        std::map<std::string, std::uint64_t> missed;
        for (const auto& [cause, count] : status.slots.missed) {
            missed[cause_label(cause)] += count;
        }
        for (const auto& [cause, count] : missed) {
            page.add(count, {{"device", id}, {"cause", cause}});
        }
    }
}

}  // namespace

std::string metrics_page(const BoxFigures& box, MetricsFormat format)
{
    MetricsPage page(format);
    add_box(page, box);
    add_intake(page, box);
    add_store(page, box.store);
    add_uplink(page, box.uplink);
    page.gauge("smart_gateway_devices", "Devices of the box.").add(box.devices.size());
    page.histogram("smart_gateway_poll_lateness_seconds",
                   "How long after its instant on the grid a poll began.", box.lateness);
    const auto listed =
        Listed(box.devices).first(std::min(box.devices.size(), most_devices_listed));
    add_device_states(page, listed, box.now);
    add_device_counts(page, listed);
    add_process(page);
    return std::move(page).take();
}

}  // namespace gateway
