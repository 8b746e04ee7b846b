#include "gateway/receiver/lines.hpp"

#include "gateway/core/json.hpp"
#include "gateway/receiver/json_text.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstdio>

namespace gateway {

namespace {

// A point that the dictionary lacks: the raw number is kept, under the row's number.
const DictionaryRow raw_row{
    .subject = {}, .unit = R"(,"unit":null)", .publish = R"(,"publish":"restricted")"};

constexpr std::array<std::string_view, 6> event_types{"event",  "epoch_opened", "epoch_closed",
                                                      "absent", "dictionary",   "configuration"};

constexpr std::array<std::string_view, 10> event_keys{"line", "box",  "org",     "epoch", "lane",
                                                      "seq",  "time", "boot_ms", "type",  "clock"};

std::string key_text(std::string_view box, std::string_view org, const EpochId& epoch)
{
    std::string out = R"("box":)";
    append_json_string(out, box);
    out += R"(,"org":)";
    append_json_string(out, org);
    return out + R"(,"epoch":")" + epoch.hex() + '"';
}

void append_quality(std::string& out, Quality quality, Cause cause)
{
    if (quality == Quality::good && cause == Cause::none) {
        out += R"(,"quality":"good","cause":null)";
        return;
    }
    out += R"(,"quality":")";
    out += to_string(quality);
    out += R"(","cause":)";
    if (cause == Cause::none) {
        out += "null";
    } else {
        out += '"' + to_string(cause) + '"';
    }
}

// The fields of an event beside those that every event line has.
void append_event_fields(std::string& out, const Reading& reading)
{
    const auto parsed =
        reading.value.is_text() ? parse_json(reading.value.text()) : Result<json::value>(nullptr);
    const auto* object = parsed.has_value() ? parsed->if_object() : nullptr;
    const auto row = reading.alias.row;
    const auto named = object == nullptr ? std::string_view{} : text_of(*object, "type");
    out += R"(,"type":)";
    append_json_string(out, row < event_types.size() ? event_types[row] : named);
    if (object == nullptr) {
        out += R"(,"text":)";
        append_json_string(out, reading.value.text());
        return;
    }
    for (const auto& [key, value] : *object) {
        if (std::find(event_keys.begin(), event_keys.end(), key) == event_keys.end()) {
            out += ',';
            append_json_string(out, key);
            out += ':';
            out += json::serialize(value);
        }
    }
}

}  // namespace

void UtcText::append(std::string& out, std::int64_t unix_ms)
{
    namespace chrono = std::chrono;
    constexpr std::int64_t year_0000 = -62'167'219'200'000;
    constexpr std::int64_t year_10000 = 253'402'300'800'000;
    if (unix_ms < year_0000 || unix_ms >= year_10000) {
        out += "null";
        return;
    }
    const chrono::sys_time<chrono::milliseconds> time{chrono::milliseconds(unix_ms)};
    const auto second = chrono::floor<chrono::seconds>(time);
    if (text_.empty() || second.time_since_epoch().count() != second_) {
        second_ = second.time_since_epoch().count();
        const auto day = chrono::floor<chrono::days>(second);
        const chrono::year_month_day date(day);
        const chrono::hh_mm_ss clock(second - day);
        std::array<char, 48> text{};
        const auto size = std::snprintf(
            text.data(), text.size(), "\"%04d-%02u-%02uT%02d:%02d:%02d.", int{date.year()},
            unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
        text_.assign(text.data(), static_cast<std::size_t>(size));
    }
    const auto ms = static_cast<int>((time - second).count());
    const auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
    out += text_;
    out += {digit(ms / 100), digit(ms / 10), digit(ms), 'Z', '"'};
}

std::optional<std::int64_t> wall_minus_boot_ms(const BatchHeader& header)
{
    if (header.clock.state == ClockState::unset) {
        return std::nullopt;
    }
    std::int64_t difference = 0;
    const auto overflow =
        __builtin_sub_overflow(header.clock.wall.time_since_epoch().count(),
                               header.opened.time_since_epoch().count(), &difference);
    return overflow ? std::nullopt : std::optional(difference);
}

std::optional<std::int64_t> unix_ms(const std::optional<BootTime>& time,
                                    std::optional<std::int64_t> wall_minus_boot)
{
    std::int64_t sum = 0;
    if (!time || !wall_minus_boot ||
        __builtin_add_overflow(time->time_since_epoch().count(), *wall_minus_boot, &sum)) {
        return std::nullopt;
    }
    return sum;
}

ReadingLines::ReadingLines(std::string_view org, const BatchHeader& header,
                           std::optional<std::int64_t> wall_minus_boot,
                           const std::vector<std::shared_ptr<const Dictionary>>& dictionaries)
    : header_(header),
      wall_minus_boot_(wall_minus_boot),
      dictionaries_(dictionaries),
      key_(key_text(header.box, org, header.epoch))
{
    start_ = R"({"line":"reading",)" + key_ + R"(,"lane":")";
    start_ += to_string(header.lane);
    start_ += R"(","seq":)";
    clock_ = R"(,"clock":")";
    clock_ += to_string(header.clock.state);
    clock_ += '"';
}

const Dictionary& ReadingLines::dictionary_of(std::uint16_t device)
{
    if (latest_ == nullptr || latest_->device() != device) {
        const auto& refs = header_.dictionaries;
        const auto found =
            std::lower_bound(refs.begin(), refs.end(), device,
                             [](const auto& ref, std::uint16_t at) { return ref.device < at; });
        assert(found != refs.end() && found->device == device);
        latest_ = dictionaries_[static_cast<std::size_t>(found - refs.begin())].get();
    }
    return *latest_;
}

void ReadingLines::append_time(std::string& out, const Reading& reading)
{
    const auto boot_ms = reading.time.time_since_epoch().count();
    std::int64_t unix_ms = 0;
    if (wall_minus_boot_ && !__builtin_add_overflow(boot_ms, *wall_minus_boot_, &unix_ms)) {
        utc_.append(out, unix_ms);
    } else {
        out += "null";
    }
    out += R"(,"boot_ms":)";
    append_number(out, boot_ms);
}

void ReadingLines::append(std::string& out, std::uint64_t sequence, const Reading& reading)
{
    if (reading.alias.device == 0) {
        append_event(out, sequence, reading);
        return;
    }
    const auto& dictionary = dictionary_of(reading.alias.device);
    const auto* row = dictionary.row(reading.alias.row);
    out += start_;
    append_number(out, sequence);
    out += dictionary.head();
    if (row == nullptr) {
        row = &raw_row;
        out += R"(,"point":"row-)" + std::to_string(reading.alias.row) +
               R"(","title":null,"quantity":null,"time":)";
    }
    out += row->subject;
    append_time(out, reading);
    out += R"(,"value":)";
    append_value(out, reading.value, *row);
    out += row->unit;
    append_quality(out, reading.quality, reading.cause);
    out += clock_;
    out += row->publish;
    out += dictionary.tail();
    out += row->alarm;
    out += "}\n";
}

void ReadingLines::append_event(std::string& out, std::uint64_t sequence, const Reading& reading)
{
    out += R"({"line":"event",)";
    out += key_;
    out += R"(,"seq":)";
    append_number(out, sequence);
    out += R"(,"time":)";
    append_time(out, reading);
    append_event_fields(out, reading);
    out += "}\n";
}

void append_value(std::string& out, const Value& raw, const DictionaryRow& row)
{
    if (raw.is_text()) {
        append_json_string(out, raw.text());
        return;
    }
    if (raw.is_integer() && !row.names.empty()) {
        const auto name = row.names.find({raw.kind() == Kind::uint64, raw.bits()});
        if (name != row.names.end()) {
            out += name->second;
            return;
        }
    }
    const auto number = apply(raw, row.scale, row.offset);
    if (!number) {
        out += "null";
    } else if (number->json_number) {
        out += number->text;
    } else {
        out += '"' + number->text + '"';
    }
}

std::string_view to_string(LossReason reason)
{
    switch (reason) {
        case LossReason::evicted:
            return "evicted";
        case LossReason::refused_by_policy:
            return "refused_by_policy";
        case LossReason::damaged:
            return "damaged";
        case LossReason::rejected:
            return "rejected";
        case LossReason::store_lost:
            return "store_lost";
        case LossReason::volatile_store:
            return "volatile";
    }
    return "unknown";
}

void append_gap(std::string& out, const LineKey& key, std::uint64_t first,
                std::optional<std::uint64_t> last, std::string_view reason,
                std::optional<std::int64_t> first_unix_ms, std::optional<std::int64_t> last_unix_ms)
{
    UtcText utc;
    const auto append_time = [&](std::optional<std::int64_t> unix_ms) {
        if (unix_ms) {
            utc.append(out, *unix_ms);
        } else {
            out += "null";
        }
    };
    out += R"({"line":"gap",)" + key_text(key.box, key.org, key.epoch) + R"(,"lane":")";
    out += to_string(key.lane);
    out += R"(","first":)" + std::to_string(first) + R"(,"last":)" +
           (last ? std::to_string(*last) : "null") + R"(,"reason":")";
    out += reason;
    out += R"(","first_time":)";
    append_time(first_unix_ms);
    out += R"(,"last_time":)";
    append_time(last_unix_ms);
    out += "}\n";
}

void append_correction(std::string& out, std::string_view box, std::string_view org,
                       const BootId& boot, std::int64_t wall_minus_boot, std::uint32_t error_ms)
{
    constexpr std::uint32_t not_known = 0xFFFFFFFF;
    out += R"({"line":"correction","box":)";
    append_json_string(out, box);
    out += R"(,"org":)";
    append_json_string(out, org);
    out += R"(,"boot":")" + boot.hex() + R"(","wall_minus_boot_ms":)" +
           std::to_string(wall_minus_boot) + R"(,"error_ms":)" +
           (error_ms == not_known ? "null" : std::to_string(error_ms)) + "}\n";
}

}  // namespace gateway
