#pragma once

#include "gateway/core/event.hpp"
#include "gateway/store/stored.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gateway {

/// Of which batch a spool file is: the record it begins with.
struct SpoolHeader {
    EpochId epoch;
    Lane lane = Lane::telemetry;
    std::uint64_t first = 1;  ///< the sequence that the first reading will get
    BootTime opened;
    ClockReading clock;
};

/// One open batch on tmpfs: what is written here survives the process, not the machine. Every
/// record has a checksum, so a torn end is told apart. Stays until it is removed.
class SpoolFile {
public:
    /// Nothing when the folder does not take a new file.
    static std::optional<SpoolFile> create(const std::string& directory, const SpoolHeader& header);
    SpoolFile(SpoolFile&& other) noexcept;
    SpoolFile& operator=(SpoolFile&& other) noexcept;
    ~SpoolFile();

    /// One write: the readings, and the dictionaries that they are the first to name. False when
    /// the folder is full; then nothing further of this batch may be appended.
    bool append(std::span<const DictionaryRef> named, std::span<const Reading> readings);
    void remove();

private:
    SpoolFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    bool write_record();

    std::string path_;
    Bytes record_;
    int descriptor_ = -1;
};

/// A spool file that was left behind, up to its last good record.
struct SpooledBatch {
    std::string path;
    SpoolHeader header;
    PendingBatch batch;
};

/// Tells that readings of the run before, which it had not committed, now are.
Event spool_recovered(std::uint64_t readings);

/// What the folder holds, by lane and sequence; files without a good header are deleted.
std::vector<SpooledBatch> read_spool(const std::string& directory);

}  // namespace gateway
