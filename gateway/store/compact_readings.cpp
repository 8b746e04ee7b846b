#include "gateway/store/compact_readings.hpp"

#include <cassert>

namespace gateway {

CompactReadings::CompactReadings(const std::vector<Reading>& readings)
{
    for (const auto& reading : readings) {
        push_back(reading);
    }
}

CompactReadings::CompactReadings(std::initializer_list<Reading> readings)
{
    for (const auto& reading : readings) {
        push_back(reading);
    }
}

bool CompactReadings::accepts(const Reading& reading) const
{
    if (empty()) {
        return true;
    }
    const auto offset = (reading.time - base_).count();
    return offset > -most_milliseconds && offset < most_milliseconds;
}

void CompactReadings::push_back(const Reading& reading)
{
    assert(accepts(reading));
    const auto kind = reading.value.kind();
    const auto position = size();
    if (position == 0) {
        base_ = reading.time;
        kind_ = kind;
    } else if (kinds_.empty() && kind != kind_) {
        kinds_.assign(position, kind_);
    }
    if (quality_.empty() && reading.quality != Quality::good) {
        quality_.assign(position, Quality::good);
    }
    if (cause_.empty() && reading.cause != Cause::none) {
        cause_.assign(position, Cause::none);
    }
    // The columns that exist, or came into being just now, take this reading.
    if (!kinds_.empty()) {
        kinds_.push_back(kind);
    }
    if (!quality_.empty() || reading.quality != Quality::good) {
        quality_.push_back(reading.quality);
    }
    if (!cause_.empty() || reading.cause != Cause::none) {
        cause_.push_back(reading.cause);
    }
    alias_.push_back(reading.alias.packed());
    time_.push_back(static_cast<std::int32_t>((reading.time - base_).count()));
    if (kind == Kind::text) {
        word_.push_back(static_cast<std::uint32_t>(texts_.size()));
        texts_.push_back(reading.value.text());
        text_bytes_ += reading.value.text().size();
    } else {
        word_.push_back(has_word(kind) ? static_cast<std::uint32_t>(reading.value.bits()) : 0);
    }
    if (is_wide(kind)) {
        wide_.push_back(reading.value.bits());
    }
    if (reading.device_time) {
        device_times_.push_back({static_cast<std::uint32_t>(position), *reading.device_time});
    }
}

std::size_t CompactReadings::memory_bytes() const
{
    return alias_.capacity() * 4 + time_.capacity() * 4 + word_.capacity() * 4 + kinds_.capacity() +
           wide_.capacity() * 8 + texts_.capacity() * sizeof(std::string) + text_bytes_ +
           quality_.capacity() + cause_.capacity() * 2 +
           device_times_.capacity() * sizeof(DeviceTime);
}

std::size_t CompactReadings::body_bytes() const
{
    constexpr std::size_t frame = 256;         // tables, lengths, padding between columns
    constexpr std::size_t text_overhead = 12;  // offset, length, terminator and padding
    return frame + size() * 12 + kinds_.size() + wide_.size() * 8 + texts_.size() * text_overhead +
           text_bytes_ + quality_.size() + cause_.size() * 2 + device_times_.size() * 16;
}

void CompactReadings::fill(Reading& reading, Cursor& cursor) const
{
    const auto at = cursor.next++;
    const auto kind = kind_at(at);
    reading.alias = Alias::from(alias_[at]);
    reading.time = base_ + std::chrono::milliseconds(time_[at]);
    reading.quality = quality_.empty() ? Quality::good : quality_[at];
    reading.cause = cause_.empty() ? Cause::none : cause_[at];
    reading.device_time.reset();
    if (cursor.device_time < device_times_.size() &&
        device_times_[cursor.device_time].position == at) {
        reading.device_time = device_times_[cursor.device_time++].time;
    }
    switch (kind) {
        case Kind::none:
            reading.value = {};
            break;
        case Kind::int32:
            reading.value = Value::integer(static_cast<std::int32_t>(word_[at]));
            break;
        case Kind::float32:
            reading.value = Value::from_bits(kind, word_[at]);
            break;
        case Kind::int64:
        case Kind::uint64:
        case Kind::float64:
            reading.value = Value::from_bits(kind, wide_[cursor.wide++]);
            break;
        case Kind::text:
            reading.value = Value::of_text(texts_[word_[at]]);
            break;
    }
}

std::vector<Reading> CompactReadings::expanded() const
{
    std::vector<Reading> readings;
    readings.reserve(size());
    for_each([&readings](const Reading& reading) { readings.push_back(reading); });
    return readings;
}

}  // namespace gateway
