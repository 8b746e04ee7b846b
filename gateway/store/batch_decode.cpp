#include "gateway/core/defect.hpp"
#include "gateway/core/digest.hpp"
#include "gateway/store/alias_registers.hpp"
#include "gateway/store/batch.hpp"
#include "gateway/store/batch_body.hpp"
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
    if (!checksum_matches(*batch, message) && !planted(Defect::checksum_ignored)) {
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

/// `from_readings` makes the content of what is no tombstone.
template <typename FromReadings>
Result<Batch> BatchDecoder::decode(ByteView message, FromReadings from_readings)
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
    auto content = from_readings(*flatbuffers::GetRoot<wire::Readings>(body->data()),
                                 decoded.header, (*batch)->count());
    if (!content) {
        return content.error();
    }
    decoded.content = std::move(*content);
    return decoded;
}

Result<Batch> BatchDecoder::decode(ByteView message)
{
    return decode(message, [this](const auto& body, const auto& header, std::size_t count) {
        return readings_from(body, header, count, scratch_->registers);
    });
}

Result<Batch> BatchDecoder::decode_as_loss(ByteView message)
{
    return decode(message, loss_from);
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
