// What people at the cabinet ask of the running box: why a device is as it is, and that they work
// at one.
#include "gateway/app/box.hpp"
#include "gateway/app/bus_scan.hpp"
#include "gateway/app/plain_text.hpp"
#include "gateway/app/why.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr Duration longest_nap = 1h;  // of what is counted while the machine is suspended too

json::object no_such_device(const RunningDevices& devices, const std::string& id)
{
    constexpr std::size_t most_named = 10;
    std::string known;
    std::size_t count = 0;
    for (const auto& [name, device] : devices) {
        if (++count <= most_named) {
            known += (known.empty() ? "" : ", ") + name;
        }
    }
    return refusal("no device \"" + id + "\" is read; these are: " +
                   (known.empty() ? "none" : known) + (count > most_named ? ", …" : ""));
}

}  // namespace

json::object Box::answer_why(const std::string& id) const
{
    const auto device = devices_.find(id);
    if (!device) {
        return no_such_device(devices_.all(), id);
    }
    BoxView box{.site = site_.get(), .now = clock_.now(), .clock = clock_.wall()};
    box.uplink_configured = uplink_ != nullptr;
    const auto place = sink_.first_good(device->config().index);
    DeviceView view{&device->config(), device->supervisor->status(), place.has_value(),
                    value_.first_receipt(id)};
    if (const auto since = view.status.down_since) {
        view.failing_for = failing_for(id, clock_.now() - *since);
    }
    return why_json(box, view, device->exchanges);
}

/// One at a time: a line has room for one.
asio::awaitable<void> Box::answer_scan(json::object request, Reply& reply)
{
    Mistakes mistakes;
    auto wanted = scan_request(text_of(request, "bus"), mistakes);
    const auto unit = [&request](std::string_view key, unsigned otherwise) {
        const auto given = integer_of(request, key, otherwise);
        return given >= 0 && given <= 255 ? static_cast<unsigned>(given) : otherwise;
    };
    wanted.first = unit("first", wanted.first);
    wanted.last = unit("last", wanted.last);
    if (!mistakes.empty() || scanning_) {
        auto why = refusal(scanning_ ? "another scan is under way" : mistakes.text());
        co_await reply.send(std::move(why));
        co_return;
    }
    struct Turn {
        bool& taken;
        explicit Turn(bool& flag) : taken(flag) { taken = true; }
        ~Turn() { taken = false; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
    };
    const Turn turn(scanning_);
    ScanStep step = [&reply](std::string progress) -> asio::awaitable<bool> {
        json::object line{{"progress", progress}};
        const auto sent = co_await reply.send(std::move(line));
        co_return sent.has_value();
    };
    auto profiles = loaded_.configuration.profiles;
    const auto report = co_await scan_bus(std::move(wanted), devices_.drivers(),
                                          std::move(profiles), std::move(step));
    auto line = report.object();
    co_await reply.send(std::move(line));
}

asio::awaitable<json::object> Box::answer_store()
{
    struct Look {
        StoreUse use;
        std::vector<EpochState> epochs;
    };
    auto look = [this] { return Look{outbox_.use(), outbox_.epochs()}; };
    const auto held = co_await store_worker_.run(look);
    std::uint64_t queued = 0, lost = 0;
    json::array epochs;
    for (const auto& epoch : held.epochs) {
        json::object lanes;
        for (const auto lane : all_lanes) {
            const auto& counters = epoch.lanes[index_of(lane)];
            queued += counters.queued;
            lost += counters.tombstoned;
            if (counters.head > 0) {
                lanes[to_string(lane)] = {{"head", counters.head},
                                          {"first_held", counters.first_held},
                                          {"unconfirmed", counters.queued},
                                          {"declared_lost", counters.tombstoned}};
            }
        }
        epochs.push_back({{"epoch", epoch.id.hex()}, {"closed", epoch.closed}, {"lanes", lanes}});
    }
    json::array facts;
    facts.emplace_back("Folder         " + site_->store.path + ", in use by the running service");
    facts.emplace_back("Size           " + store_text(held.use));
    facts.emplace_back("Epochs         " + std::to_string(held.epochs.size()));
    facts.emplace_back("Declared lost  " + std::to_string(lost));
    co_return json::object{
        {"ok", true},
        {"verdict", std::to_string(queued) + " readings are not confirmed by the platform yet."},
        {"facts", std::move(facts)},
        {"directory", site_->store.path},
        {"used_bytes", held.use.used_bytes},
        {"budget_bytes", held.use.budget_bytes},
        {"free_bytes", held.use.free_bytes},
        {"unconfirmed", queued},
        {"declared_lost", lost},
        {"epochs", std::move(epochs)}};
}

void Box::recall_maintenance(const std::optional<std::string>& text)
{
    if (text) {
        maintenance_ = MaintenanceBook(*text, boot_, clock_.now(), clock_.wall());
    }
}

std::optional<Instant> Box::maintained_until(const std::string& device) const
{
    const auto* entry = maintenance_.find(device);
    return entry == nullptr ? std::nullopt : std::optional(entry->until);
}

/// Durable on return.
asio::awaitable<void> Box::save_maintenance()
{
    auto save = [this, text = maintenance_.text(boot_, clock_.now(), clock_.wall())] {
        outbox_.set_state(MaintenanceBook::key, text);
        return true;
    };
    co_await store_worker_.run(save);
    if (uplink_) {
        uplink_->birth_changed();
    }
}

void Box::note_maintenance(const std::string& id, bool begins, const std::string& why)
{
    if (const auto wall = clock_.wall(); wall.state != ClockState::unset) {
        value_.maintained(id, begins, wall.wall);
    }
    const auto reason = why.empty() ? std::string() : ": " + why;
    tell(
        {begins ? "maintenance-begun" : "maintenance-ended", Severity::info,
         begins ? "Somebody works at the device" + reason + "." : "The work at the device is over.",
         id});
}

asio::awaitable<json::object> Box::answer_maintain(json::object request)
{
    const std::string id(text_of(request, "device"));
    const auto device = devices_.find(id);
    if (!device) {
        co_return no_such_device(devices_.all(), id);
    }
    const auto seconds = integer_of(request, "seconds");
    const std::string why(text_of(request, "why"));
    const auto now = clock_.now();
    std::string text = id + " is no longer in maintenance: its readings count again.";
    if (seconds > 0) {
        const auto length =
            std::min<Duration>(std::chrono::seconds(std::min<std::int64_t>(seconds, 1'000'000)),
                               MaintenanceBook::longest);
        if (!maintenance_.begin(id, now, length, why)) {
            co_return refusal("too many devices are in maintenance");
        }
        maintenance_begun_.notify();
        device->supervisor->maintain(now + length);
        text = id + " is in maintenance for " + ago_text(length) +
               ": its readings are stored as suspect.";
    } else if (maintenance_.end(id)) {
        device->supervisor->maintain(now);
    } else {
        co_return json::object{{"ok", true}, {"text", id + " was not in maintenance."}};
    }
    note_maintenance(id, seconds > 0, why);
    co_await save_maintenance();
    co_return json::object{{"ok", true}, {"text", text}};
}

/// The readings count again from the end on; here it is told.
asio::awaitable<void> Box::watch_maintenance()
{
    for (;;) {
        const auto end = maintenance_.next_end().value_or(Instant::max());
        const auto now = clock_.now();
        co_await maintenance_begun_.wait(std::min<Duration>(end - now, longest_nap));
        const auto over = maintenance_.take_over(clock_.now());
        for (const auto& id : over) {
            note_maintenance(id, false, {});
        }
        if (!over.empty()) {
            co_await save_maintenance();
        }
    }
}

}  // namespace gateway
