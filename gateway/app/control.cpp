#include "gateway/app/box.hpp"
#include "gateway/app/machine_advice.hpp"
#include "gateway/app/reading_row.hpp"
#include "gateway/app/store_rows.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t entries_in_birth = 10;

void look_at(const UplinkStatus& link, BoxView& box)
{
    box.connected = link.connected;
    box.uplink_problem = link.problem;
    box.last_receipt = link.last_receipt;
    box.refused_topic = link.refused_topic;
    box.too_large = link.too_large;
    if (link.unconfirmed_since) {
        box.unconfirmed_for = box.now - *link.unconfirmed_since;
    }
}

}  // namespace

asio::awaitable<void> Box::answer(json::object request, Reply& reply)
{
    const std::string command(text_of(request, "command"));
    json::object line;
    if (command == "status") {
        line = co_await status();
    } else if (command == "reload") {
        const auto seconds = std::clamp<std::int64_t>(integer_of(request, "confirm_s"), 0, 86'400);
        const auto reloaded = co_await reload(std::chrono::seconds(seconds));
        line = {{"ok", reloaded.done}, {"text", reloaded.text}};
    } else if (command == "why") {
        line = answer_why(std::string(text_of(request, "device")));
    } else if (command == "maintain") {
        line = co_await answer_maintain(std::move(request));
    } else if (command == "enroll") {
        line = co_await answer_enroll(std::move(request));
    } else if (command == "read") {
        co_await answer_read(std::string(text_of(request, "device")), reply);
        co_return;
    } else if (command == "scan") {
        co_await answer_scan(std::move(request), reply);
        co_return;
    } else if (const Duration busy = store_worker_.busy_for();
               (command == "store" || command == "rows") && busy > stalled_after) {
        line = refusal(stall_text(site_->store.path, busy));
    } else if (command == "store") {
        line = co_await answer_store();
    } else if (command == "rows") {
        co_await answer_rows(store_worker_, outbox_, reply);
        co_return;
    } else if (command == "tail") {
        co_await answer_tail(reply);
        co_return;
    } else {
        line = refusal("this release does not know the command \"" + command + "\"");
    }
    co_await reply.send(std::move(line));
}

asio::awaitable<Result<std::vector<ReadingRow>>> Box::read_rows(std::string id)
{
    const auto device = devices_.find(id);
    if (!device) {
        co_return Fault::not_found;
    }
    const auto readings = co_await device->supervisor->read_now();
    if (!readings) {
        co_return readings.error();
    }
    std::vector<ReadingRow> rows;
    rows.reserve(readings->size());
    for (const auto& reading : *readings) {
        rows.push_back(describe(device->config(), reading, clock_.now(), clock_.wall()));
    }
    co_return rows;
}

asio::awaitable<void> Box::answer_read(std::string id, Reply& reply)
{
    const auto rows = co_await read_rows(id);
    if (!rows) {
        auto why = refusal(rows.error() == Fault::not_found ? "no such device in the site file"
                                                            : rows.error().message());
        co_await reply.send(std::move(why));
        co_return;
    }
    for (const auto& row : *rows) {
        auto line = row.object();
        if (!co_await reply.send(std::move(line))) {
            co_return;
        }
    }
}

asio::awaitable<void> Box::answer_tail(Reply& reply)
{
    WatchedIntake::Watch watch(sink_, io_.get_executor());
    for (;;) {
        for (const auto& reading : co_await watch.next()) {
            const auto* device = devices_.find(reading.alias.device);
            if (device == nullptr) {
                continue;  // the box itself: events are in the log
            }
            auto line = describe(device->config(), reading, clock_.now(), clock_.wall()).object();
            if (!co_await reply.send(std::move(line))) {
                co_return;
            }
        }
    }
}

/// What was recorded before a restart counts too.
Duration Box::failing_for(const std::string& subject, Duration at_least) const
{
    const auto wall = clock_.wall();
    const auto since = value_.failing_since(subject);
    return since && wall.state != ClockState::unset
               ? std::max(at_least, Duration(wall.wall - *since))
               : at_least;
}

asio::awaitable<void> Box::look_at_store()
{
    std::map<std::string, std::optional<WatchedIntake::Place>> places;
    for (const auto& [id, device] : devices_.all()) {
        places[id] = sink_.first_good(device->config().index);
    }
    auto look = [this, &places] {
        StoreView seen{.epoch = outbox_.epoch(),
                       .use = outbox_.use(),
                       .epochs = outbox_.epochs(),
                       .receipted = {}};
        for (const auto& [id, place] : places) {
            seen.receipted[id] = place && outbox_.received(outbox_.epoch_number(), place->lane)
                                              .contains({place->sequence, place->sequence});
        }
        return seen;
    };
    store_seen_ = co_await store_worker_.run(look);
}

asio::awaitable<json::object> Box::status()
{
    const Duration busy = store_worker_.busy_for();
    if (busy < stalled_after) {
        co_await look_at_store();
    }
    BoxView box{.site = site_.get(),
                .configuration_source = loaded_.source,
                .configuration_problem = loaded_.problem,
                .epoch = store_seen_.epoch,
                .uptime = clock_.now() - started_,
                .now = clock_.now(),
                .clock = clock_.wall(),
                .uplink_configured = uplink_ != nullptr,
                .certificate_days_left = tls::days_left(certificate_, certificate_time()),
                .store = store_seen_.use,
                .store_busy = busy,
                .epochs = store_seen_.epochs,
                .advice = advice_for(*site_, devices_.configs(), clock_.wall()),
                .flash = flash_json(intake_.counters(), site_->store.rating_bytes),
                .value = value_.object(ValueRecord::most_faults)};
    for (const auto& [id, device] : devices_.all()) {
        DeviceView view{&device->config(), device->supervisor->status(), store_seen_.receipted[id],
                        value_.first_receipt(id)};
        if (const auto since = view.status.down_since) {
            view.failing_for = failing_for(id, clock_.now() - *since);
        }
        if (const auto* entry = maintenance_.find(id)) {
            view.maintenance_why = entry->why;
        }
        box.devices.push_back(std::move(view));
    }
    if (uplink_) {
        const auto link = uplink_->status();
        look_at(link, box);
        if (link.since && box.clock.state != ClockState::unset) {
            box.uplink_failing_for = failing_for("uplink", box.clock.wall - *link.since);
        }
    }
    co_return status_json(box);
}

BirthInput Box::birth() const
{
    const auto now = clock_.now();
    const auto wall = clock_.wall();
    const auto at = [&](Instant instant) {
        return wall.wall + std::chrono::duration_cast<std::chrono::milliseconds>(instant - now);
    };
    const bool dated = wall.state != ClockState::unset;
    static const std::string os = os_name();
    BirthInput input{.name = site_->name,
                     .software = GATEWAY_VERSION,
                     .os = os,
                     .location = site_->location,
                     .boot = boot_,
                     .uptime = now - started_,
                     .started = dated ? std::optional(at(started_)) : std::nullopt,
                     .first_start = first_start_,
                     .clock = wall,
                     .trust = site_->trust,
                     .certificate_days_left = tls::days_left(certificate_, certificate_time()),
                     .configuration_hash = site_->hash,
                     .configuration_source = loaded_.source,
                     .advice = advice_for(*site_, devices_.configs(), clock_.wall()),
                     .flash = flash_json(intake_.counters(), site_->store.rating_bytes),
                     .value = value_.object(entries_in_birth)};
    if (const auto advice = certificate_advice(input.certificate_days_left); !advice.empty()) {
        input.advice.push_back(advice);
    }
    if (!loaded_.problem.empty()) {
        input.configuration_problem = loaded_.problem;
    }
    for (const auto& [id, device] : devices_.all()) {
        const auto& profile = *device->config().profile;
        const auto& config = device->config();
        BirthDevice entry{.index = config.index,
                          .id = id,
                          .name = config.site.name,
                          .dictionary = device->dictionary,
                          .profile = profile.id + "@" + profile.version,
                          .profile_sha256 = profile.sha256,
                          .identity = device->identified.verdict,
                          .contract = config.contract,
                          .enabled = config.site.enabled,
                          .maintenance_until = std::nullopt,
                          .first_receipt = value_.first_receipt(id)};
        if (const auto until = maintained_until(id); until && dated) {
            entry.maintenance_until = at(*until);
        }
        input.devices.push_back(std::move(entry));
    }
    return input;
}

CommandHandlers Box::commands()
{
    auto read = [this](json::object arguments) -> asio::awaitable<Answer> {
        const auto rows = co_await read_rows(std::string(text_of(arguments, "device")));
        Answer answer;
        if (!rows) {
            answer.state = "failed";
            answer.text = rows.error().message();
            co_return answer;
        }
        json::array readings;
        for (const auto& row : *rows) {
            readings.push_back(row.object());
        }
        answer.result["readings"] = std::move(readings);
        co_return answer;
    };
    auto why = [this](json::object arguments) -> asio::awaitable<Answer> {
        Answer answer{.result = answer_why(std::string(text_of(arguments, "device")))};
        if (answer.result.contains("error")) {
            answer.state = "failed";
            answer.text = text_of(std::exchange(answer.result, {}), "error");
        }
        co_return answer;
    };
    // The link may be made anew by it, and this command with it, so it runs on its own.
    auto reload_soon = [this](json::object) -> asio::awaitable<Answer> {
        tasks_.spawn("reload", reload_quietly());
        Answer answer;
        answer.state = "accepted";
        answer.text = "The outcome is an event.";
        co_return answer;
    };
    return {{"read", read}, {"why", why}, {"reload", reload_soon}, {"enroll", enroll_command()}};
}

}  // namespace gateway
