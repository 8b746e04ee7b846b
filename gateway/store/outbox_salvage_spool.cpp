// What a run before this one left in the spool of epochs that are being salvaged.
#include "gateway/store/change_rows.hpp"
#include "gateway/store/rescue.hpp"

#include <algorithm>

namespace gateway {

bool Outbox::Database::keep_for_salvage(const SpooledBatch& spooled)
{
    return rescue_->keep(spooled);
}

bool Outbox::Database::Rescue::keep(const SpooledBatch& spooled)
{
    const auto& header = spooled.header;
    const auto* epoch = store.books_.find(header.epoch);
    const auto last = header.first + spooled.batch.readings.size() - 1;
    const bool may_come =
        epoch == nullptr
            ? source || begin_rescue() == Aside::begun
            : epoch->is_salvaged() && (epoch->stage == EpochStage::salvaged ||
                                       last <= epoch->lanes[index_of(header.lane)].counters.head);
    if (may_come) {
        kept.push_back(spooled);
    }
    return may_come;
}

/// A batch that was accepted before the store was damaged, as the last of its lane's rows: under
/// the keys that it had, or would have had, so that it is there once wherever else it is found. How
/// many readings that brings.
std::uint64_t Outbox::Database::Rescue::put_spooled(EpochBook& epoch, const SpooledBatch& spooled,
                                                    SalvageStep& step)
{
    const auto& [path, header, batch] = spooled;
    if (header.epoch != epoch.id || batch.readings.empty()) {
        return 0;
    }
    const RowSpan span{row_id(epoch.number, header.first), batch.readings.size(), std::nullopt, 0};
    const auto& book = epoch.lanes[index_of(header.lane)];
    if (span.last() > most_sequence || is_here(epoch, header.lane, span) ||
        book.received.contains({span.first(), span.last()})) {
        return 0;
    }
    declare_holes(epoch, header.lane, span.first() - 1, LossReason::store_lost, step);
    store.put_batch(epoch, batch, span.first(), step.stored);
    covered(epoch, header.lane) = span.last();
    return span.count;
}

/// What is left is of epochs that salvage found nothing of: they are to be concluded too. False
/// when nothing is left.
bool Outbox::Database::Rescue::conclude_spool()
{
    if (kept.empty()) {
        return false;
    }
    const auto& header = kept.back().header;
    auto number = store.current_;
    while (number > 0 && store.books_.find(number) != nullptr) {
        --number;
    }
    if (number == 0 || store.books_.find(header.epoch) != nullptr) {
        kept.pop_back();  // the file stays, for the next start
        return true;
    }
    store.change_rows([&] {
        store.books_.put({number, header.epoch, {}, EpochStage::salvaged, {}});
        return 0;
    });
    return true;
}

}  // namespace gateway
