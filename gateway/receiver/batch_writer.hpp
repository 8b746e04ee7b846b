#pragma once

#include "gateway/receiver/announcement.hpp"
#include "gateway/receiver/dictionaries.hpp"
#include "gateway/receiver/ledger_state.hpp"
#include "gateway/receiver/line_file.hpp"
#include "gateway/receiver/lines.hpp"
#include "gateway/receiver/tally.hpp"
#include "gateway/store/batch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// What is declared lost, and when it was measured as far as that is known.
struct Loss {
    Range range;
    std::string_view reason;
    std::optional<std::int64_t> first_unix_ms, last_unix_ms;
};

/// Takes batches apart: what is new becomes lines and is booked, what is here already is compared.
/// Nothing is durable before the caller has synced the file and committed the state.
class BatchWriter {
public:
    BatchWriter(LedgerState& ledger, Dictionaries& dictionaries, LineFile& file, Tally& tally)
        : ledger_(ledger), dictionaries_(dictionaries), file_(file), tally_(tally)
    {
    }

    struct Taken {
        EpochId epoch;
        Lane lane = Lane::telemetry;
        std::uint64_t first = 0;
        std::optional<std::chrono::milliseconds> opened;  ///< Unix time, when its box knew it
        std::vector<DictionaryHash> missing;              ///< not empty: nothing was done
    };

    /// Refused, and nothing has changed, unless the message is a batch of the topic's box.
    Checked<Taken> take(const Topic& topic, ByteView message);

    /// Books as lost, and writes, what is not here of the range. `account` is changed, not kept.
    void declare_lost(std::string_view org, const EpochRecord& epoch, Lane lane,
                      LaneAccount& account, const Loss& loss);
    /// What comes after the last known sequence of a lost store is lost too, and nobody knows how
    /// much.
    void declare_tail_lost(std::string_view org, const EpochRecord& epoch, Lane lane,
                           std::uint64_t first);
    /// Hands the lines so far to the file.
    void flush();

private:
    using Found = std::vector<std::shared_ptr<const Dictionary>>;  // shared with the cache

    /// A batch that passed every check.
    struct Arrival {
        const Topic& topic;
        const BatchHeader& header;
        EpochRecord epoch;
        Range range;
    };

    Checked<Found> dictionaries_of(const Topic& topic, const BatchHeader& header,
                                   std::vector<DictionaryHash>& missing);
    void write(const Arrival& arrival, const std::vector<Reading>& readings, const Found& found);
    /// The sum of what was written.
    std::uint64_t write_part(const Arrival& arrival, const std::vector<Reading>& readings,
                             Range part, ReadingLines& lines);
    void write(const Arrival& arrival, const Tombstone& tombstone);
    void compare(const Arrival& arrival, const std::vector<Reading>& readings);
    std::optional<std::int64_t> date(const Arrival& arrival);
    void note_closed_epochs(const Arrival& arrival, const std::vector<Reading>& readings);

    LedgerState& ledger_;
    Dictionaries& dictionaries_;
    LineFile& file_;
    Tally& tally_;
    BatchDecoder decoder_;
    std::string lines_;
};

/// The epoch is closed with these heads, as far as they are higher than what is known.
void close_epoch(LedgerState& ledger, EpochRecord& epoch, const PerLane<std::uint64_t>& heads);

}  // namespace gateway
