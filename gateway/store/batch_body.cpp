#include "gateway/store/batch_body.hpp"

#include "gateway/store/losses.hpp"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>

namespace gateway {

namespace {

/// Absent, or as long as the batch.
template <typename Column>
bool fits(const Column* column, std::size_t count)
{
    return column == nullptr || column->size() == count;
}

bool columns_agree(const wire::Readings& body, std::size_t count)
{
    if (!fits(body.alias(), count) || !fits(body.time(), count) || !fits(body.value(), count) ||
        !fits(body.kinds(), count) || !fits(body.quality(), count) || !fits(body.cause(), count)) {
        return false;
    }
    if (const auto* stamps = body.device_times()) {
        for (flatbuffers::uoffset_t i = 0; i < stamps->size(); ++i) {
            const auto position = stamps->Get(i)->position();
            if (position >= count || (i > 0 && stamps->Get(i - 1)->position() >= position)) {
                return false;
            }
        }
    }
    return true;
}

/// Of which point and when the readings of a body are.
class PlaceColumns {
public:
    PlaceColumns(const wire::Readings& body, const BatchHeader& header)
        : body_(body), time_(static_cast<std::uint64_t>(header.opened.time_since_epoch().count()))
    {
    }

    /// `at`: 0, 1, 2 …
    void move_to(flatbuffers::uoffset_t at)
    {
        alias_ += body_.alias()->Get(at);
        // Unsigned: a forged sum may pass the end of the range, and then wraps.
        time_ += static_cast<std::uint64_t>(std::int64_t{body_.time()->Get(at)});
    }
    std::uint32_t packed_alias() const { return alias_; }
    Alias alias() const { return Alias::from(alias_); }
    BootTime time() const
    {
        return BootTime(std::chrono::milliseconds(static_cast<std::int64_t>(time_)));
    }

private:
    const wire::Readings& body_;
    std::uint64_t time_;
    std::uint32_t alias_ = 0;
};

/// Walks the columns of one body, whose lengths agree, and gives reading after reading.
class Rows {
public:
    Rows(const wire::Readings& body, const BatchHeader& header, AliasRegisters& registers)
        : body_(body), header_(header), registers_(registers), places_(body, header)
    {
        registers_.reset();
    }

    /// False when it is malformed.
    bool next(Reading& reading)
    {
        const auto at = next_++;
        places_.move_to(at);
        reading.alias = places_.alias();
        reading.time = places_.time();
        if (body_.cause() != nullptr) {
            reading.cause = static_cast<Cause>(body_.cause()->Get(at));
        }
        if (body_.quality() != nullptr) {
            const auto quality = body_.quality()->Get(at);
            if (quality >= quality_count) {
                return false;
            }
            reading.quality = static_cast<Quality>(quality);
        }
        if (const auto* stamps = body_.device_times();
            stamps != nullptr && stamp_ < stamps->size() && stamps->Get(stamp_)->position() == at) {
            reading.device_time =
                WallTime(std::chrono::milliseconds(stamps->Get(stamp_++)->wall_ms()));
        }
        return device_is_named(reading.alias.device) && put_value(reading.value, at);
    }

    /// Every entry of `wide` has been used.
    bool ended() const { return body_.wide() == nullptr || body_.wide()->size() == wide_; }

private:
    bool put_value(Value& value, flatbuffers::uoffset_t at)
    {
        const auto number = body_.kinds() == nullptr ? body_.kind() : body_.kinds()->Get(at);
        if (number > static_cast<std::uint8_t>(Kind::text)) {
            return false;
        }
        const auto kind = static_cast<Kind>(number);
        auto& before = registers_.of(places_.packed_alias());
        before.word += static_cast<std::uint32_t>(body_.value()->Get(at));
        if (is_wide(kind)) {
            if (body_.wide() == nullptr || wide_ == body_.wide()->size()) {
                return false;
            }
            before.wide += body_.wide()->Get(wide_++);
            value = Value::from_bits(kind, before.wide);
        } else if (kind == Kind::int32) {
            value = Value::integer(static_cast<std::int32_t>(before.word));
        } else if (kind == Kind::float32) {
            value = Value::from_bits(kind, before.word);
        } else if (kind == Kind::text) {
            if (body_.texts() == nullptr || before.word >= body_.texts()->size()) {
                return false;
            }
            value = Value::of_text(body_.texts()->Get(before.word)->str());
        }
        return true;
    }

    bool device_is_named(std::uint16_t device)
    {
        if (device == 0 || device == named_) {
            return true;
        }
        const auto& references = header_.dictionaries;
        const auto at = std::lower_bound(
            references.begin(), references.end(), device,
            [](const DictionaryRef& reference, std::uint16_t id) { return reference.device < id; });
        if (at == references.end() || at->device != device) {
            return false;
        }
        named_ = device;
        return true;
    }

    const wire::Readings& body_;
    const BatchHeader& header_;
    AliasRegisters& registers_;
    PlaceColumns places_;
    flatbuffers::uoffset_t next_ = 0, wide_ = 0, stamp_ = 0;
    std::uint16_t named_ = 0;
};

}  // namespace

Result<std::vector<Reading>> readings_from(const wire::Readings& body, const BatchHeader& header,
                                           std::size_t count, AliasRegisters& registers)
{
    if (!columns_agree(body, count)) {
        return Fault::malformed;
    }
    std::vector<Reading> readings(count);
    Rows rows(body, header, registers);
    for (auto& reading : readings) {
        if (!rows.next(reading)) {
            return Fault::malformed;
        }
    }
    if (!rows.ended()) {
        return Fault::malformed;
    }
    return readings;
}

Result<Tombstone> loss_from(const wire::Readings& body, const BatchHeader& header,
                            std::size_t count)
{
    if (!columns_agree(body, count)) {
        return Fault::malformed;
    }
    Tombstone loss;
    PlaceColumns places(body, header);
    for (flatbuffers::uoffset_t at = 0; at < count; ++at) {
        places.move_to(at);
        add_reading(loss, places.alias(), places.time());
    }
    return loss;
}

Result<Tombstone> tombstone_from(const wire::Tombstone& body, std::uint64_t count)
{
    if (body.reason() > wire::Reason::MAX) {
        return Fault::malformed;
    }
    const auto time = [](std::int64_t wire_ms) {
        return wire_ms == -1 ? std::optional<BootTime>()
                             : BootTime(std::chrono::milliseconds(wire_ms));
    };
    Tombstone tombstone{count,
                        static_cast<LossReason>(body.reason()),
                        time(body.first_time_ms()),
                        time(body.last_time_ms()),
                        {}};
    if (body.counts() != nullptr) {
        tombstone.counts.reserve(body.counts()->size());
        for (const auto* lost : *body.counts()) {
            tombstone.counts.push_back({Alias::from(lost->alias()), lost->count()});
        }
    }
    return tombstone;
}

}  // namespace gateway
