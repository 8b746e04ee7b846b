#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/receiver/topic.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

constexpr std::size_t most_announcement_bytes = 1'048'576;
/// No honest sequence comes near this; it keeps every sum of sequences inside 63 bits.
constexpr std::uint64_t highest_sequence = 1ULL << 62;

/// What a birth says of one lane of an epoch.
struct LaneSpan {
    std::uint64_t first_held = 1;
    std::uint64_t head = 0;
};

struct BirthEpoch {
    EpochId id;
    BootId boot;
    bool closed = false;
    PerLane<std::optional<LaneSpan>> lanes;
};

/// What a receiver needs of a birth (protocol.md, section 6).
struct Birth {
    EpochId epoch;         ///< the current one
    std::string receiver;  ///< whose receipts the box obeys
    std::vector<BirthEpoch> epochs;
};

/// What a manifest says of one lane.
struct ManifestLane {
    std::uint64_t head = 0;
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
    std::uint64_t tombstoned = 0;
    std::uint64_t queued = 0;
    friend bool operator==(const ManifestLane&, const ManifestLane&) = default;
};

using Manifest = std::map<EpochId, PerLane<std::optional<ManifestLane>>>;

struct BoxState {
    std::string session;
    bool online = false;
};

/// Each checks schema, box and org against the topic, and every number.
Checked<Birth> parse_birth(std::string_view bytes, const Topic& topic);
Checked<Manifest> parse_manifest(std::string_view bytes, const Topic& topic);
Checked<BoxState> parse_state(std::string_view bytes, const Topic& topic);

/// The heads of an epoch that an `epoch_closed` event gives (protocol.md, section 2.3).
struct ClosedEpoch {
    EpochId epoch;
    PerLane<std::uint64_t> heads{};
};
std::optional<ClosedEpoch> parse_epoch_closed(std::string_view text);

}  // namespace gateway
