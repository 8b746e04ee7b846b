#include "gateway/receiver/receipts.hpp"

#include "gateway/receiver/json_text.hpp"
#include "gateway/receiver/lines.hpp"
#include "gateway/receiver/topic.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

constexpr std::chrono::seconds pause{1};
constexpr std::size_t most_told_ranges = 64;
constexpr std::size_t most_needs = 1'000;
constexpr std::size_t most_bytes = 200'000;  // a box refuses one over 256 KB

void append_ranges(std::string& out, const std::vector<Range>& ranges)
{
    out += '[';
    std::size_t count = 0;
    for (const auto& range : ranges) {
        if (++count > most_told_ranges) {
            break;
        }
        out += count == 1 ? "[" : ",[";
        append_number(out, range.first);
        out += ',';
        append_number(out, range.last);
        out += ']';
    }
    out += ']';
}

void append_lane(std::string& out, Lane lane, const RangeSet& settled)
{
    out += out.back() == '{' ? "\"" : ",\"";
    out += to_string(lane);
    out += "\":";
    append_ranges(out, settled.ranges());
}

/// `arguments` are JSON. The receiver's name is at most 63 long and an id 64: its end tells
/// commands apart.
Outgoing command(std::string_view receiver, std::string_view org, std::string_view box,
                 const std::string& name, const std::string& what, const std::string& arguments,
                 std::chrono::system_clock::time_point now)
{
    const auto unix_ms = [](std::chrono::system_clock::time_point time) {
        return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    };
    const auto id = std::string(receiver.substr(0, 30)) + '-' + std::to_string(unix_ms(now)) + what;
    std::string text =
        R"({"schema":"smartstate.command/1","id":)" + json_string(id) + R"(,"expires":)";
    UtcText().append(text, unix_ms(now + std::chrono::hours(1)));
    text += R"(,"command":")" + name + R"(","arguments":)" + arguments + '}';
    return {"ss1/" + std::string(org) + "/cmd/" + std::string(box), std::move(text)};
}

}  // namespace

Outgoing rebirth_command(std::string_view receiver, std::string_view org, std::string_view box,
                         std::chrono::system_clock::time_point now)
{
    return command(receiver, org, box, "rebirth", "", "{}", now);
}

Outgoing replay_command(std::string_view receiver, std::string_view org, std::string_view box,
                        const EpochId& epoch, Lane lane, const std::vector<Range>& ranges,
                        std::chrono::system_clock::time_point now)
{
    const auto hex = epoch.hex();
    const std::string name(to_string(lane));
    auto arguments = R"({"epoch":")" + hex + R"(","lane":")" + name + R"(","ranges":)";
    append_ranges(arguments, ranges);
    return command(receiver, org, box, "replay", '-' + name + '-' + hex.substr(0, 8),
                   arguments + '}', now);
}

void Receipts::leave_alone(std::string_view box)
{
    left_alone_.emplace(box);
    if (const auto found = boxes_.find(box); found != boxes_.end()) {
        boxes_.erase(found);
    }
}

Receipts::Pending& Receipts::pending(std::string_view org, std::string_view box)
{
    auto& found = boxes_[std::string(box)];
    found.org = org;
    return found;
}

void Receipts::changed(std::string_view org, std::string_view box, const EpochId& epoch)
{
    if (!left_alone_.contains(box)) {
        pending(org, box).epochs.insert(epoch);
    }
}

void Receipts::wanting(std::string_view org, std::string_view box)
{
    if (!left_alone_.contains(box)) {
        pending(org, box);
    }
}

void Receipts::born(std::string_view org, std::string_view box, const std::vector<EpochId>& epochs,
                    bool retained)
{
    if (const auto found = left_alone_.find(box); found != left_alone_.end()) {
        left_alone_.erase(found);
    }
    auto& found = pending(org, box);
    found.epochs.insert(epochs.begin(), epochs.end());
    const bool first = greeted_.emplace(box).second;
    found.hello = found.hello || (first && retained);
}

std::string Receipts::text(const std::string& box, Pending& pending)
{
    std::string out = R"({"schema":"smartstate.receipt/1","receiver":)" + json_string(receiver_) +
                      R"(,"box":)" + json_string(box) + R"(,"hello":)" +
                      (pending.hello ? "true" : "false") + R"(,"epochs":{)";
    while (!pending.epochs.empty() && out.size() < most_bytes) {
        const auto id = *pending.epochs.begin();
        pending.epochs.erase(pending.epochs.begin());
        const auto epoch = ledger_.find_epoch(box, id);
        if (!epoch) {
            continue;
        }
        out += (out.back() == '{' ? "\"" : ",\"") + id.hex() + "\":{";
        for (const auto lane : all_lanes) {
            const auto settled = ledger_.account(epoch->number, lane).settled();
            if (!settled.empty()) {
                append_lane(out, lane, settled);
            }
        }
        out += '}';
    }
    out += R"(},"need":[)";
    const auto missing = held_.missing(box);
    for (std::size_t i = 0; i < std::min(missing.size(), most_needs); ++i) {
        out += (i == 0 ? "\"" : ",\"") + hash_hex(missing[i]) + '"';
    }
    pending.hello = false;
    return out + "]}";
}

std::vector<Outgoing> Receipts::due(Time now)
{
    std::erase_if(latest_, [&](const auto& sent) { return now - sent.second >= pause; });
    std::vector<Outgoing> receipts;
    for (auto at = boxes_.begin(); at != boxes_.end();) {
        auto& [box, waiting] = *at;
        if (latest_.contains(box)) {
            ++at;
            continue;
        }
        receipts.push_back({receipt_topic(waiting.org, box), text(box, waiting)});
        latest_[box] = now;
        // More epochs than one receipt holds: the rest goes with the next.
        at = waiting.epochs.empty() ? boxes_.erase(at) : std::next(at);
    }
    return receipts;
}

}  // namespace gateway
