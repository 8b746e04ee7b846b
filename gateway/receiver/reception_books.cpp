// What births and manifests say of a box's readings, against what is here.
#include "gateway/receiver/announcement.hpp"
#include "gateway/receiver/reception.hpp"
#include "gateway/runtime/log.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

std::optional<Refusal> Reception::take_birth(const Topic& topic, std::string_view text,
                                             bool retained)
{
    const auto birth = parse_birth(text, topic);
    if (!birth) {
        return birth.error();
    }
    const auto record = ledger_.box(topic.box);
    const auto current = ledger_.find_epoch(topic.box, birth->epoch);
    // Epochs are never used again: one that an earlier birth listed and that is not the latest is
    // over, and so is what this birth says.
    if (record && record->current && *record->current != birth->epoch && current &&
        current->listed) {
        log(LogLevel::warning, "old birth passed over",
            {{"box", topic.box}, {"epoch", birth->epoch.hex()}});
        return std::nullopt;
    }
    ++tally_.births;
    std::vector<EpochId> listed;
    for (const auto& epoch : birth->epochs) {
        book(topic, epoch);
        listed.push_back(epoch.id);
    }
    close_unlisted(topic, *birth);
    ledger_.put_box({.box = topic.box, .org = topic.org, .current = birth->epoch});
    if (birth->receiver.empty() || birth->receiver == settings_.receiver) {
        receipts_.born(topic.org, topic.box, listed, retained);
        if (retained && !current) {
            // This state is empty or old, and the box has freed more since it said this.
            commands_.push_back(rebirth_command(settings_.receiver, topic.org, topic.box,
                                                std::chrono::system_clock::now()));
        }
    } else {
        log(LogLevel::info, "box heeds another receiver",
            {{"box", topic.box}, {"receiver", birth->receiver}});
        receipts_.leave_alone(topic.box);
    }
    return std::nullopt;
}

void Reception::book(const Topic& topic, const BirthEpoch& listed)
{
    auto epoch = ledger_.epoch(topic.box, listed.id);
    if (!epoch.listed || (listed.closed && !epoch.closed)) {
        epoch.listed = true;
        epoch.closed = epoch.closed || listed.closed;
        ledger_.put_epoch(epoch);
    }
    for (const auto lane : all_lanes) {
        const auto& span = listed.lanes[index_of(lane)];
        if (!span) {
            continue;
        }
        auto account = ledger_.account(epoch.number, lane);
        account.head = std::max(account.head, span->head);
        if (span->first_held > 1) {
            // What the box does not hold any more, and is not here, will never come.
            for (const auto& hole : account.settled().holes({1, span->first_held - 1})) {
                if (hole.first != 1) {
                    log(LogLevel::error, "box freed readings that are not in this state",
                        {{"box", topic.box},
                         {"epoch", listed.id.hex()},
                         {"lane", to_string(lane)},
                         {"first", hole.first},
                         {"last", hole.last}});
                }
                account.forgone.add(hole);
            }
            ledger_.forget_pieces(epoch.number, lane, span->first_held - 1);
        }
        ledger_.put_account(epoch.number, lane, account);
    }
}

// An epoch that is open here and that its box does not list any more went with its store.
void Reception::close_unlisted(const Topic& topic, const Birth& birth)
{
    for (const auto& epoch : ledger_.epochs(topic.box)) {
        const bool listed = std::any_of(birth.epochs.begin(), birth.epochs.end(),
                                        [&](const auto& named) { return named.id == epoch.id; });
        if (epoch.listed && !epoch.closed && !listed) {
            close_lost(topic, epoch);
        }
    }
}

void Reception::close_lost(const Topic& topic, EpochRecord epoch)
{
    log(LogLevel::error, "epoch lost with its store",
        {{"box", topic.box}, {"epoch", epoch.id.hex()}});
    for (const auto lane : all_lanes) {
        auto account = ledger_.account(epoch.number, lane);
        if (account.head == 0) {
            continue;
        }
        for (const auto& hole : account.settled().holes({1, account.head})) {
            writer_.declare_lost(topic.org, epoch, lane, account,
                                 {.range = hole, .reason = to_string(LossReason::store_lost)});
        }
        writer_.declare_tail_lost(topic.org, epoch, lane, account.head + 1);
        ledger_.put_account(epoch.number, lane, account);
    }
    epoch.closed = true;
    ledger_.put_epoch(epoch);
}

std::optional<Refusal> Reception::take_manifest(const Topic& topic, std::string_view text)
{
    const auto manifest = parse_manifest(text, topic);
    if (!manifest) {
        return manifest.error();
    }
    ++tally_.manifests;
    for (const auto& [id, lanes] : *manifest) {
        const auto epoch = ledger_.epoch(topic.box, id);
        for (const auto lane : all_lanes) {
            if (const auto& said = lanes[index_of(lane)]) {
                compare(topic, epoch, lane, *said);
            }
        }
    }
    return std::nullopt;
}

void Reception::compare(const Topic& topic, const EpochRecord& epoch, Lane lane,
                        const ManifestLane& said)
{
    auto account = ledger_.account(epoch.number, lane);
    if (account.manifest && said.head < account.manifest->head) {
        return;
    }
    if (account.manifest) {
        ask_again(topic, epoch, lane, account, account.manifest->head);
    }
    account.manifest = said;
    account.head = std::max(account.head, said.head);
    ledger_.put_account(epoch.number, lane, account);
    const auto verdict = judge(ledger_, epoch.number, lane, account);
    if (verdict.completeness == Completeness::differs) {
        ++tally_.differing;
        log(LogLevel::error, "manifest differs from what is here",
            {{"box", topic.box},
             {"epoch", epoch.id.hex()},
             {"lane", to_string(lane)},
             {"head", said.head},
             {"count_said", said.count},
             {"count_here", account.count}});
    }
    if (verdict.agrees && said.queued == 0) {
        ledger_.forget_pieces(epoch.number, lane, said.head);
    }
}

/// What the box had sent before its manifest of a while ago, and nothing came since: it went where
/// neither side can see it, and a box sends again by itself only what a later receipt leaves out.
void Reception::ask_again(const Topic& topic, const EpochRecord& epoch, Lane lane,
                          const LaneAccount& account, std::uint64_t head)
{
    const auto settled = account.settled();
    const auto holes = head == 0 ? std::vector<Range>() : settled.holes({1, head});
    const auto key = std::pair(epoch.id, lane);
    if (holes.empty() || !settings_.receipts || receipts_.leaves_alone(topic.box)) {
        behind_.erase(key);
        return;
    }
    const auto here = settled.size();
    const auto before = behind_.find(key);
    if (before != behind_.end() && before->second == here) {
        log(LogLevel::warning, "asked for readings again",
            {{"box", topic.box},
             {"epoch", epoch.id.hex()},
             {"lane", to_string(lane)},
             {"first", holes.front().first},
             {"last", holes.back().last}});
        commands_.push_back(replay_command(settings_.receiver, topic.org, topic.box, epoch.id, lane,
                                           holes, std::chrono::system_clock::now()));
    }
    behind_[key] = here;
}

}  // namespace gateway
