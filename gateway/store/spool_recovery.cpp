// What becomes of the open batches that a run before this one left in the spool.
#include "gateway/core/defect.hpp"
#include "gateway/store/open_batches.hpp"

#include <algorithm>
#include <filesystem>

namespace gateway {

namespace {

enum class Home : std::uint8_t { here, stored, none };

/// Sequences that the spool proves to have been given and the store does not know of.
struct Gap {
    std::uint32_t epoch_number = 0;
    std::uint64_t count = 0;
};

/// Where the readings of a spool file belong: `number` is the epoch they are to be committed to,
/// `gap` lies before them.
Home home_of(Outbox& outbox, const SpoolHeader& header, const PendingBatch& batch,
             std::uint32_t& number, Gap& gap)
{
    const auto epochs = outbox.epochs();
    const auto epoch = std::ranges::find(epochs, header.epoch, &EpochState::id);
    number = outbox.epoch_number();
    if (planted(Defect::sent_again_under_new_keys)) {
        return Home::here;
    }
    if (epoch != epochs.end()) {
        // A batch is committed whole or not at all: below the head all of it is stored.
        const auto last = header.first + batch.readings.size() - 1;
        const auto head = epoch->lanes[index_of(header.lane)].head;
        if (batch.readings.empty() || last <= head) {
            return Home::stored;
        }
        if (!epoch->closed) {
            gap = {epoch->number, header.first - std::min(header.first, head + 1)};
            number = epoch->salvaged ? number : epoch->number;
        }
        return Home::here;
    }
    // Of a store that is being salvaged, or of one that was never in this box.
    const bool can_be_told = std::ranges::any_of(epochs, &EpochState::salvaged) ||
                             std::ranges::all_of(batch.dictionaries, [&](const DictionaryRef& ref) {
                                 return outbox.dictionary(ref.hash).has_value();
                             });
    return can_be_told ? Home::here : Home::none;
}

/// What had those sequences may have been sent: they are not given again.
void declare(Outbox& outbox, const SpoolHeader& header, const Gap& gap)
{
    PendingLoss loss{header.lane, header.opened, header.clock, {}};
    loss.lost.count = gap.count;
    loss.lost.reason = LossReason::store_lost;
    outbox.commit_to(gap.epoch_number, {{}, {}, {loss}});
}

}  // namespace

Event spool_recovered(std::uint64_t readings)
{
    return {"spool-recovered", Severity::info,
            std::to_string(readings) +
                " readings of the run before had not been committed; now they are",
            ""};
}

void commit_spool(Outbox& outbox, const std::vector<SpooledBatch>& spooled,
                  std::vector<Event>& events)
{
    std::uint64_t recovered = 0;
    std::uint64_t homeless = 0;
    std::uint64_t lost = 0;
    for (const auto& each : spooled) {
        if (!planted(Defect::sent_again_under_new_keys) && outbox.keep_for_salvage(each)) {
            continue;
        }
        const auto& [path, header, batch] = each;
        std::uint32_t number = 0;
        Gap gap;
        switch (home_of(outbox, header, batch, number, gap)) {
            case Home::here:
                if (gap.count > 0) {
                    declare(outbox, header, gap);
                    lost += gap.count;
                }
                outbox.commit_to(number, {{batch}, {}});
                recovered += batch.readings.size();
                break;
            case Home::stored:
                break;
            case Home::none:
                homeless += batch.readings.size();
                break;
        }
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    if (recovered > 0) {
        events.push_back(spool_recovered(recovered));
    }
    if (lost > 0) {
        events.push_back(
            {"store-lost", Severity::error,
             std::to_string(lost) + " readings that were stored before the spool began are gone",
             ""});
    }
    if (homeless > 0) {
        events.push_back({"spool-lost", Severity::error,
                          std::to_string(homeless) +
                              " readings in the spool are of a run that this store does not know",
                          ""});
    }
}

}  // namespace gateway
