#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/compact_readings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace gateway {

enum class LossReason : std::uint8_t {
    evicted,
    refused_by_policy,
    damaged,
    rejected,
    store_lost,
    volatile_store
};

struct DictionaryRef {
    std::uint16_t device = 0;
    DictionaryHash hash = 0;
    friend bool operator==(const DictionaryRef&, const DictionaryRef&) = default;
};

/// The header of a batch (schemas/batch.fbs, table Batch).
struct BatchHeader {
    std::string box;
    EpochId epoch;
    Lane lane = Lane::telemetry;
    std::uint64_t first = 1;
    BootId boot;
    BootTime opened;                          ///< the base of the readings' times
    ClockReading clock;                       ///< at `opened`
    std::vector<DictionaryRef> dictionaries;  ///< ascending by device
};

struct LossCount {
    Alias alias;
    std::uint32_t count = 0;
};

/// What was lost: the readings first .. first + count - 1 of the header's lane.
struct Tombstone {
    std::uint64_t count = 0;
    LossReason reason = LossReason::evicted;
    std::optional<BootTime> first_time, last_time;
    std::vector<LossCount> counts;
};

constexpr std::size_t most_readings_in_batch = 32'000;
/// At which the box closes one: what encoding takes of its memory goes with it.
constexpr std::size_t full_batch = 16'000;
constexpr std::size_t most_body_bytes = 1'048'576;
constexpr std::size_t most_message_bytes = 1'048'576;

/// A decoded message.
struct Batch {
    BatchHeader header;
    std::variant<std::vector<Reading>, Tombstone> content;
    std::uint64_t count() const;  ///< readings held or lost
};

/// Makes the bytes of batches; keeps its memory from one to the next. Readings: at least one, at
/// most `most_readings_in_batch`, with a body_bytes() of at most `most_body_bytes`, and each within
/// 12 days of `opened`.
class BatchEncoder {
public:
    BatchEncoder();
    ~BatchEncoder();
    BatchEncoder(BatchEncoder&&) noexcept;
    BatchEncoder& operator=(BatchEncoder&&) noexcept;

    Bytes encode(const BatchHeader& header, const CompactReadings& readings);
    Bytes encode(const BatchHeader& header, const Tombstone& tombstone);

private:
    struct Scratch;
    std::unique_ptr<Scratch> scratch_;
};

/// As BatchEncoder, for one batch.
Bytes encode(const BatchHeader& header, std::span<const Reading> readings);
Bytes encode(const BatchHeader& header, const Tombstone& tombstone);

/// Decodes bytes from outside with every check of protocol.md, section 2: Fault::malformed,
/// bad_checksum or too_large. Keeps its memory from one to the next.
class BatchDecoder {
public:
    BatchDecoder();
    ~BatchDecoder();
    BatchDecoder(BatchDecoder&&) noexcept;
    BatchDecoder& operator=(BatchDecoder&&) noexcept;

    Result<Batch> decode(ByteView message);
    /// As decode(); what is readings comes as the tombstone that can stand for them.
    Result<Batch> decode_as_loss(ByteView message);

private:
    template <typename FromReadings>
    Result<Batch> decode(ByteView message, FromReadings from_readings);

    struct Scratch;
    std::unique_ptr<Scratch> scratch_;
};

/// As BatchDecoder, for one message.
Result<Batch> decode(ByteView message);
/// Only the header, for routing: verified and with its checksum checked, the body untouched.
struct BatchSummary {
    BatchHeader header;
    std::uint64_t count = 0;
    bool tombstone = false;
};
Result<BatchSummary> decode_header(ByteView message);

}  // namespace gateway
