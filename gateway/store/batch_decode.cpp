#include "gateway/core/digest.hpp"
#include "gateway/store/alias_registers.hpp"
#include "gateway/store/batch.hpp"
#include "schemas/batch_generated.h"

#include <flatbuffers/flatbuffers.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace gateway {

namespace {

struct FreeDecompressor {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// FlatBuffers reads its scalars in place: the bytes themselves where they are aligned, else a
/// copy.
ByteView aligned(ByteView bytes, Bytes& copy)
{
    // A misaligned start is not rare: Paho hands out the middle of its receive buffer.
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0) {
        return bytes;
    }
    copy.assign(bytes.begin(), bytes.end());
    return copy;
}

Id128 id_from(const wire::Id128& wire_id)
{
    Id128 id;
    std::copy_n(wire_id.bytes()->data(), id.bytes.size(), id.bytes.begin());
    return id;
}

bool checksum_matches(const wire::Batch& batch, ByteView message)
{
    const auto* field =
        reinterpret_cast<const flatbuffers::Table*>(&batch)->GetAddressOf(wire::Batch::VT_CRC);
    Crc32c crc;
    if (field == nullptr) {
        crc.add(message);
    } else {
        constexpr std::array<std::uint8_t, 4> zeros{};
        const auto at = static_cast<std::size_t>(field - message.data());
        crc.add(message.first(at)).add(zeros).add(message.subspan(at + zeros.size()));
    }
    return crc.value() == batch.crc();
}

bool header_is_valid(const wire::Batch& batch)
{
    if (batch.version() != 1 || batch.features() != 0 || batch.lane() > wire::Lane::MAX ||
        batch.content() > wire::Content::MAX || batch.clock() > wire::ClockState::MAX ||
        batch.codec() > wire::Codec::MAX) {
        return false;
    }
    const auto count = batch.count();
    const auto most = batch.content() == wire::Content::readings
                          ? most_readings_in_batch
                          : std::numeric_limits<std::uint64_t>::max();
    if (count == 0 || count > most || batch.first() == 0 ||
        batch.first() > std::numeric_limits<std::uint64_t>::max() - count) {
        return false;
    }
    if (const auto* references = batch.dictionaries()) {
        for (flatbuffers::uoffset_t i = 1; i < references->size(); ++i) {
            if (references->Get(i - 1)->device() >= references->Get(i)->device()) {
                return false;
            }
        }
    }
    return true;
}

/// `message` must be aligned and outlive the answer.
Result<const wire::Batch*> verified(ByteView message)
{
    if (message.size() > most_message_bytes) {
        return Fault::too_large;
    }
    flatbuffers::Verifier verifier(message.data(), message.size());
    if (!wire::VerifyBatchBuffer(verifier)) {
        return Fault::malformed;
    }
    const auto* batch = wire::GetBatch(message.data());
    if (!checksum_matches(*batch, message)) {
        return Fault::bad_checksum;
    }
    if (!header_is_valid(*batch)) {
        return Fault::malformed;
    }
    if (batch->body_size() > most_body_bytes) {
        return Fault::too_large;
    }
    return batch;
}

BatchHeader header_from(const wire::Batch& batch)
{
    BatchHeader header;
    header.box = batch.box()->str();
    header.epoch = id_from(*batch.epoch());
    header.lane = static_cast<Lane>(batch.lane());
    header.first = batch.first();
    header.boot = id_from(*batch.boot());
    header.opened = BootTime(std::chrono::milliseconds(batch.boottime_ms()));
    header.clock = {WallTime(std::chrono::milliseconds(batch.wall_ms())),
                    static_cast<ClockState>(batch.clock()), batch.clock_error_ms()};
    if (const auto* references = batch.dictionaries()) {
        header.dictionaries.reserve(references->size());
        for (const auto* reference : *references) {
            header.dictionaries.push_back({reference->device(), reference->hash()});
        }
    }
    return header;
}

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

/// Walks the columns of one body, whose lengths agree, and gives reading after reading.
class Rows {
public:
    Rows(const wire::Readings& body, const BatchHeader& header, AliasRegisters& registers)
        : body_(body),
          header_(header),
          registers_(registers),
          time_(static_cast<std::uint64_t>(header.opened.time_since_epoch().count()))
    {
        registers_.reset();
    }

    /// False when it is malformed.
    bool next(Reading& reading)
    {
        const auto at = next_++;
        alias_ += body_.alias()->Get(at);
        reading.alias = Alias::from(alias_);
        // Unsigned: a forged sum may pass the end of the range, and then wraps.
        time_ += static_cast<std::uint64_t>(std::int64_t{body_.time()->Get(at)});
        reading.time = BootTime(std::chrono::milliseconds(static_cast<std::int64_t>(time_)));
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
        auto& before = registers_.of(alias_);
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
    std::uint64_t time_;
    std::uint32_t alias_ = 0;
    flatbuffers::uoffset_t next_ = 0, wide_ = 0, stamp_ = 0;
    std::uint16_t named_ = 0;
};

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

}  // namespace

struct BatchDecoder::Scratch {
    std::unique_ptr<ZSTD_DCtx, FreeDecompressor> decompressor{ZSTD_createDCtx()};
    Bytes message, body;
    AliasRegisters registers;

    Result<ByteView> body_of(const wire::Batch& batch);
};

/// The decompressed body, aligned.
Result<ByteView> BatchDecoder::Scratch::body_of(const wire::Batch& batch)
{
    const ByteView stored(batch.body()->data(), batch.body()->size());
    if (batch.codec() == wire::Codec::none) {
        if (stored.size() != batch.body_size()) {
            return Fault::malformed;
        }
        return aligned(stored, body);
    }
    // Also unequal when the frame does not say, or is none: those are 2^64 - 1 and 2^64 - 2.
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != batch.body_size()) {
        return Fault::malformed;
    }
    body.resize(batch.body_size());
    const auto size = ZSTD_decompressDCtx(decompressor.get(), body.data(), body.size(),
                                          stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != body.size()) {
        return Fault::malformed;
    }
    return ByteView(body);
}

BatchDecoder::BatchDecoder() : scratch_(std::make_unique<Scratch>()) {}
BatchDecoder::~BatchDecoder() = default;
BatchDecoder::BatchDecoder(BatchDecoder&&) noexcept = default;
BatchDecoder& BatchDecoder::operator=(BatchDecoder&&) noexcept = default;

Result<Batch> BatchDecoder::decode(ByteView message)
{
    const auto batch = verified(aligned(message, scratch_->message));
    if (!batch) {
        return batch.error();
    }
    const auto body = scratch_->body_of(**batch);
    if (!body) {
        return body.error();
    }
    flatbuffers::Verifier verifier(body->data(), body->size());
    Batch decoded{header_from(**batch), {}};
    if ((*batch)->content() == wire::Content::tombstone) {
        if (!verifier.VerifyBuffer<wire::Tombstone>()) {
            return Fault::malformed;
        }
        auto lost =
            tombstone_from(*flatbuffers::GetRoot<wire::Tombstone>(body->data()), (*batch)->count());
        if (!lost) {
            return lost.error();
        }
        decoded.content = std::move(*lost);
        return decoded;
    }
    if (!verifier.VerifyBuffer<wire::Readings>()) {
        return Fault::malformed;
    }
    auto readings = readings_from(*flatbuffers::GetRoot<wire::Readings>(body->data()),
                                  decoded.header, (*batch)->count(), scratch_->registers);
    if (!readings) {
        return readings.error();
    }
    decoded.content = std::move(*readings);
    return decoded;
}

Result<Batch> decode(ByteView message)
{
    return BatchDecoder().decode(message);
}

Result<BatchSummary> decode_header(ByteView message)
{
    Bytes copy;
    const auto batch = verified(aligned(message, copy));
    if (!batch) {
        return batch.error();
    }
    return BatchSummary{header_from(**batch), (*batch)->count(),
                        (*batch)->content() == wire::Content::tombstone};
}

}  // namespace gateway
