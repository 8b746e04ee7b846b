#include "gateway/app/value.hpp"

#include "gateway/uplink/utc.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gateway {

namespace {

constexpr std::size_t longest_cause = 160;
constexpr std::size_t day_digits = 10;
constexpr std::size_t most_text = 1 << 20;

struct RecordedFault {
    std::string_view begins, ends, subject;  ///< no subject: the event's
};
constexpr std::array faults_by_event{RecordedFault{"device-down", "device-up", {}},
                                     RecordedFault{"store-failed", "store-works", "store"},
                                     RecordedFault{"disk-full", "store-works", "store"}};

std::string cut(std::string_view text, std::size_t most)
{
    while (most < text.size() && most > 0 && (static_cast<unsigned char>(text[most]) >> 6) == 2) {
        --most;  // not inside a character
    }
    return std::string(text.substr(0, most));
}

const json::array* array_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
}

std::uint64_t number_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) {
        return 0;
    }
    boost::system::error_code error;
    const auto number = value->to_number<std::uint64_t>(error);
    return error ? 0 : number;
}

template <typename T>
json::value or_null(const std::optional<T>& value)
{
    return value ? json::value(*value) : json::value(nullptr);
}

}  // namespace

json::object flash_json(const IntakeCounters& counters, std::uint64_t rating_bytes)
{
    const auto& written = counters.written;
    std::optional<double> each;
    if (counters.committed > 0 && counters.written_bytes > 0) {
        each =
            static_cast<double>(counters.written_bytes) / static_cast<double>(counters.committed);
    }
    const bool rated = rating_bytes > 0;
    return {{"written_today_bytes", written.today},
            {"written_yesterday_bytes", written.yesterday},
            {"written_bytes", written.total},
            {"device_written_today_bytes", written.device_today},
            {"device_written_bytes", written.device_total},
            {"days", written.days},
            {"bytes_per_reading", or_null(each)},
            {"rated_bytes", or_null(rated ? std::optional(rating_bytes) : std::nullopt)},
            {"days_left", or_null(rated ? written.days_left(rating_bytes) : std::nullopt)},
            {"interval_stretch", counters.stretch}};
}

ValueRecord::ValueRecord(std::string_view text)
{
    const auto parsed = parse_json(text, most_text);
    const auto* object = parsed ? parsed->if_object() : nullptr;
    if (object == nullptr) {
        return;
    }
    const auto* receipts = object->if_contains("first_receipts");
    if (receipts != nullptr && receipts->is_object()) {
        for (const auto& [device, when] : receipts->get_object()) {
            if (when.is_string() && receipted_.size() < most_devices) {
                receipted_.emplace(device, when.get_string().c_str());
            }
        }
    }
    faults_ = spans_of(*object, "faults", most_faults);
    visits_ = spans_of(*object, "visits", most_visits);
    if (const auto* days = array_in(*object, "days")) {
        for (const auto& value : *days) {
            if (const auto* day = value.if_object(); day != nullptr && days_.size() < most_days) {
                days_.push_back({std::string(text_of(*day, "day")), number_in(*day, "sent_bytes"),
                                 number_in(*day, "written_bytes")});
            }
        }
    }
}

std::deque<ValueRecord::Span> ValueRecord::spans_of(const json::object& object,
                                                    std::string_view name, std::size_t most)
{
    std::deque<Span> spans;
    const auto* values = array_in(object, name);
    for (std::size_t i = 0; values != nullptr && i < std::min(values->size(), most); ++i) {
        if (const auto* span = (*values)[i].if_object()) {
            spans.push_back(
                {std::string(text_of(*span, "subject")), std::string(text_of(*span, "cause")),
                 std::string(text_of(*span, "begin")), std::string(text_of(*span, "end"))});
        }
    }
    return spans;
}

std::string ValueRecord::text() const
{
    auto all = object(std::max({most_days, most_faults, most_visits}));
    json::object receipts;
    for (const auto& [device, when] : receipted_) {
        receipts[device] = when;
    }
    all["first_receipts"] = std::move(receipts);
    return json::serialize(all);
}

std::optional<std::string> ValueRecord::first_receipt(const std::string& device) const
{
    const auto found = receipted_.find(device);
    return found == receipted_.end() ? std::nullopt : std::optional(found->second);
}

void ValueRecord::receipted(const std::string& device, WallTime now)
{
    if (receipted_.size() < most_devices && receipted_.emplace(device, utc_text(now)).second) {
        urgent_ = true;
    }
}

ValueRecord::Span* ValueRecord::open_one(std::deque<Span>& spans, const std::string& subject)
{
    const auto found = std::ranges::find_if(
        spans, [&](const Span& span) { return span.subject == subject && span.end.empty(); });
    return found == spans.end() ? nullptr : &*found;
}

void ValueRecord::begin(std::deque<Span>& spans, std::size_t most, Span span)
{
    if (open_one(spans, span.subject) != nullptr) {
        return;
    }
    spans.push_back(std::move(span));
    if (spans.size() > most) {
        spans.pop_front();
    }
    urgent_ = true;
}

void ValueRecord::end(std::deque<Span>& spans, const std::string& subject, WallTime now)
{
    if (auto* open = open_one(spans, subject)) {
        open->end = utc_text(now);
        urgent_ = true;
    }
}

void ValueRecord::failed(const std::string& subject, std::string_view cause, WallTime now)
{
    begin(faults_, most_faults, {subject, cut(cause, longest_cause), utc_text(now), {}});
}

void ValueRecord::works(const std::string& subject, WallTime now)
{
    end(faults_, subject, now);
}

std::optional<WallTime> ValueRecord::failing_since(const std::string& subject) const
{
    const auto fails = [&](const Span& span) {
        return span.subject == subject && span.end.empty();
    };
    const auto found = std::ranges::find_if(faults_, fails);
    return found == faults_.end() ? std::nullopt : utc_from(found->begin);
}

void ValueRecord::note(const Event& event, WallTime now)
{
    for (const auto& fault : faults_by_event) {
        const auto subject = fault.subject.empty() ? event.subject : std::string(fault.subject);
        if (event.code == fault.begins) {
            failed(subject, event.text, now);
        } else if (event.code == fault.ends) {
            works(subject, now);
        }
    }
}

void ValueRecord::maintained(const std::string& device, bool now_maintained, WallTime now)
{
    if (now_maintained) {
        begin(visits_, most_visits, {device, {}, utc_text(now), {}});
    } else {
        end(visits_, device, now);
    }
}

void ValueRecord::used(std::uint64_t sent_bytes, std::uint64_t written_bytes, WallTime now)
{
    const auto day = utc_text(now).substr(0, day_digits);
    if (days_.empty() || days_.back().day < day) {  // a clock that is set back begins no day
        days_.push_back({day});
        if (days_.size() > most_days) {
            days_.pop_front();
        }
    }
    auto& today = days_.back();
    today.sent_bytes += sent_bytes - std::min(sent_bytes, sent_before_);
    today.written_bytes += written_bytes - std::min(written_bytes, written_before_);
    sent_before_ = sent_bytes;
    written_before_ = written_bytes;
}

json::array ValueRecord::array_of(const std::deque<Span>& spans, std::size_t most)
{
    json::array values;
    for (std::size_t i = spans.size() - std::min(most, spans.size()); i < spans.size(); ++i) {
        const auto& span = spans[i];
        json::object value{{"subject", span.subject}};
        if (!span.cause.empty()) {
            value["cause"] = span.cause;
        }
        value["begin"] = span.begin;
        value["end"] = span.end.empty() ? json::value(nullptr) : json::value(span.end);
        values.push_back(std::move(value));
    }
    return values;
}

json::array ValueRecord::days(std::size_t most) const
{
    json::array values;
    for (std::size_t i = days_.size() - std::min(most, days_.size()); i < days_.size(); ++i) {
        const auto& day = days_[i];
        values.push_back({{"day", day.day},
                          {"sent_bytes", day.sent_bytes},
                          {"written_bytes", day.written_bytes}});
    }
    return values;
}

json::object ValueRecord::object(std::size_t most) const
{
    return {{"days", days(most)},
            {"faults", array_of(faults_, most)},
            {"visits", array_of(visits_, most)}};
}

}  // namespace gateway
