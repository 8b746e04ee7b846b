#pragma once

#include "gateway/core/event.hpp"
#include "gateway/core/json.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/intake.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace gateway {

/// What the flash has taken and how long it lasts at this rate, for status, health and birth.
json::object flash_json(const IntakeCounters& counters, std::uint64_t rating_bytes);

/// What tells later whether a box was worth its price, recorded from its first start on: when each
/// device's readings first reached the platform, what failed for how long and why, what was sent
/// and written per day, and when somebody was there. Times are UTC. Kept in the outbox as one text;
/// the newest entries of each kind, older ones go.
class ValueRecord {
public:
    static constexpr auto key = "value";  ///< in the outbox
    static constexpr std::size_t most_days = 62, most_faults = 100, most_visits = 100;
    static constexpr std::size_t most_devices = 4'096;

    ValueRecord() = default;
    /// As text() gave it; what cannot be read begins anew.
    explicit ValueRecord(std::string_view text);
    std::string text() const;

    bool is_receipted(const std::string& device) const { return receipted_.contains(device); }
    std::optional<std::string> first_receipt(const std::string& device) const;
    void receipted(const std::string& device, WallTime now);

    /// `subject` fails from now on, unless it is failing already; a device, "uplink" or "store".
    void failed(const std::string& subject, std::string_view cause, WallTime now);
    void works(const std::string& subject, WallTime now);
    /// Since when the subject fails; nothing while it does not.
    std::optional<WallTime> failing_since(const std::string& subject) const;
    /// An event of the box may be the begin or the end of a fault.
    void note(const Event& event, WallTime now);

    void maintained(const std::string& device, bool now_maintained, WallTime now);

    /// Counters since this process began, which rise; what they rose by since the last call counts
    /// for today.
    void used(std::uint64_t sent_bytes, std::uint64_t written_bytes, WallTime now);

    /// Something that should not wait for the next save.
    bool is_urgent() const { return urgent_; }
    void saved() { urgent_ = false; }

    /// For people and programs; at most `most` faults, days and visits, the newest.
    json::object object(std::size_t most) const;

private:
    struct Span {
        std::string subject, cause, begin, end;  ///< no end: it goes on
    };
    struct Day {
        std::string day;
        std::uint64_t sent_bytes = 0, written_bytes = 0;
    };

    static json::array array_of(const std::deque<Span>& spans, std::size_t most);
    static std::deque<Span> spans_of(const json::object& object, std::string_view name,
                                     std::size_t most);
    static Span* open_one(std::deque<Span>& spans, const std::string& subject);
    void begin(std::deque<Span>& spans, std::size_t most, Span span);
    void end(std::deque<Span>& spans, const std::string& subject, WallTime now);
    json::array days(std::size_t most) const;

    std::map<std::string, std::string> receipted_;
    std::deque<Span> faults_, visits_;
    std::deque<Day> days_;
    std::uint64_t sent_before_ = 0, written_before_ = 0;
    bool urgent_ = false;
};

}  // namespace gateway
