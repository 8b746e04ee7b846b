#include "gateway/receiver/figures.hpp"

#include "gateway/metrics/process.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

void add_tally(MetricsPage& page, const Tally& tally)
{
    page.counter("smart_receiver_batches", "Batches that brought something new.")
        .add(tally.batches);
    page.counter("smart_receiver_readings", "Readings written.").add(tally.readings);
    page.counter("smart_receiver_duplicate_readings", "Readings that were here already.")
        .add(tally.duplicates);
    page.counter("smart_receiver_gaps", "Stretches declared lost.").add(tally.gaps);
    page.counter("smart_receiver_lost_readings", "Readings in these stretches.").add(tally.lost);
    page.counter("smart_receiver_conflicts", "Batches whose content was not what came before.")
        .add(tally.conflicts);
    page.counter("smart_receiver_held_batches", "Batches that waited for a dictionary.")
        .add(tally.held);
    page.counter("smart_receiver_dropped_messages",
                 "Messages for which there was no room; their boxes send them again.")
        .add(tally.dropped);
    page.counter("smart_receiver_births", "Births taken.").add(tally.births);
    page.counter("smart_receiver_manifests", "Manifests compared.").add(tally.manifests);
    page.counter("smart_receiver_manifests_differing",
                 "Manifests that say something else than is here.")
        .add(tally.differing);
}

}  // namespace

void Figures::heard(const std::string& box, Time now)
{
    if (heard_.size() < most_boxes || heard_.contains(box)) {
        heard_.insert_or_assign(box, now);
    } else {
        ++unlisted_;
    }
}

void Figures::batch(TopicKind kind, std::chrono::milliseconds opened, Time now)
{
    const std::chrono::duration<double> age = now.time_since_epoch() - opened;
    auto& ages = kind == TopicKind::history ? history_age_ : live_age_;
    ages.add(std::max(0.0, age.count()));
}

void Figures::add_to(MetricsPage& page, const Online& online) const
{
    page.counter("smart_receiver_messages", "Messages on topics of the protocol, by kind.");
    for (const auto kind : topic_kinds) {
        page.add(messages_[static_cast<std::size_t>(kind)], {{"kind", to_string(kind)}});
    }
    page.counter("smart_receiver_refused_messages", "Messages that were not accepted, by reason.");
    for (const auto kind : refusal_kinds) {
        page.add(refused_[static_cast<std::size_t>(kind)], {{"reason", to_string(kind)}});
    }
    page.counter("smart_receiver_receipts", "Receipts made for boxes.").add(receipts_);
    page.histogram("smart_receiver_live_batch_age_seconds",
                   "From the first reading of a live batch to its arrival here.", live_age_);
    page.histogram("smart_receiver_history_batch_age_seconds",
                   "The same of batches that were sent late.", history_age_);
    page.gauge("smart_receiver_boxes_online", "Boxes that said last that they are online.")
        .add(online.size());
    page.gauge("smart_receiver_box_online", "1 while a box that was heard says it is online.");
    for (const auto& [box, time] : heard_) {
        page.add(online.contains(box), {{"box", box}});
    }
    page.gauge("smart_receiver_box_heard_timestamp_seconds",
               "When a box was heard last, Unix time.");
    for (const auto& [box, time] : heard_) {
        page.add(timestamp_of(time), {{"box", box}});
    }
    page.counter("smart_receiver_unlisted_messages",
                 "Messages of boxes beyond those that are listed here.")
        .add(unlisted_);
}

std::string metrics_page(const Figures& figures, const Tally& tally, const Figures::Online& online,
                         const SessionFigures& session, MetricsFormat format)
{
    MetricsPage page(format);
    page.gauge("smart_receiver_info", "The version; always 1.")
        .add(1, {{"version", GATEWAY_VERSION}});
    page.gauge("smart_receiver_connected", "1 while there is a session with the broker.")
        .add(session.connected);
    page.counter("smart_receiver_connections", "Sessions with the broker.")
        .add(session.connections);
    page.gauge("smart_receiver_waiting_bytes", "Of messages that arrived and are not written yet.")
        .add(session.waiting_bytes);
    figures.add_to(page, online);
    add_tally(page, tally);
    add_process(page);
    return std::move(page).take();
}

}  // namespace gateway
