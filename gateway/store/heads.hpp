#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// The highest sequences of one epoch.
struct EpochHeads {
    EpochId epoch;
    std::uint32_t number = 0;
    PerLane<std::uint64_t> heads{};
    friend bool operator==(const EpochHeads&, const EpochHeads&) = default;
};

/// The heads beside the database, so that after its loss the rest can be declared: a file of two
/// slots of 4 KB, each with a serial and a CRC, written in turn and synced. A torn write leaves the
/// other slot.
class HeadsFile {
public:
    explicit HeadsFile(std::string path);

    /// The newest epochs that fit into a slot (63), given newest first. Throws StoreError.
    void write(const std::vector<EpochHeads>& newest_first);
    /// What the newest intact slot says; nothing when there is none.
    std::optional<std::vector<EpochHeads>> read() const;

private:
    std::string path_;
    std::uint64_t serial_ = 0;
};

}  // namespace gateway
