#include "gateway/store/survey.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_mistakes = 20;

/// Collects while the rows pass by.
class Surveyor {
public:
    Surveyor(HeldRows& rows, bool whole) : rows_(rows), whole_(whole) {}

    void look_at(const HeldRow& row);
    StoreSurvey conclude();

private:
    struct Held {
        unsigned store = 0;
        RangeSet ranges;
        std::uint64_t head = 0;
        RangeSet received;
        bool has_books = false;
    };
    void mistake(const std::string& text)
    {
        if (survey_.mistakes.size() < most_mistakes) {
            survey_.mistakes.push_back(text);
        }
    }
    void find_missing(const EpochId& epoch, Lane lane, Held& held);

    HeldRows& rows_;
    bool whole_;
    StoreSurvey survey_;
    std::map<std::pair<EpochId, Lane>, Held> held_;
    BatchDecoder decoder_;
};

void date(LaneSurvey& lane, const BatchHeader& header)
{
    if (header.clock.state == ClockState::unset) {
        return;
    }
    lane.oldest = std::min(lane.oldest.value_or(header.clock.wall), header.clock.wall);
    lane.newest = std::max(lane.newest.value_or(header.clock.wall), header.clock.wall);
}

void Surveyor::look_at(const HeldRow& row)
{
    const auto summary = decode_header(row.message);
    const bool good = summary && summary->header.first == row.first && summary->count > 0 &&
                      (!whole_ || decoder_.decode(row.message));
    if (!good) {
        ++survey_.damaged_rows;
        const auto store = row.store == 0 ? "" : "store " + std::to_string(row.store) + ", ";
        mistake(store + "epoch " + std::to_string(row.epoch_number) +
                ": the row that begins with sequence " + std::to_string(row.first) + " is damaged");
        return;
    }
    const auto& header = summary->header;
    const Range range{row.first, row.first + summary->count - 1};
    auto& epoch = survey_.epochs[header.epoch];
    epoch.number = row.epoch_number;
    auto& lane = epoch.lanes[header.lane];
    auto& held = held_[{header.epoch, header.lane}];
    if (!held.has_books) {
        if (const auto books = rows_.books(row.store, row.epoch_number, header.lane)) {
            held.head = books->head;
            held.received = books->received;
            held.store = row.store;
            held.has_books = true;
        }
    }
    ++lane.rows;
    held.ranges.add(range);
    survey_.boxes.insert(header.box);
    if (header.clock.state != ClockState::unset) {
        survey_.clocks[header.boot] =
            header.clock.wall.time_since_epoch() - header.opened.time_since_epoch();
    }
    if (summary->tombstone) {
        lane.declared_lost += summary->count;
        survey_.declared_lost += summary->count;
        return;
    }
    date(lane, header);
    lane.readings += summary->count;
    survey_.readings += summary->count;
    for (const auto& hole : held.received.holes(range)) {
        lane.unconfirmed += hole.size();
        survey_.unconfirmed += hole.size();
    }
}

void Surveyor::find_missing(const EpochId& epoch, Lane lane, Held& held)
{
    auto& about = survey_.epochs[epoch].lanes[lane];
    about.head = held.head;
    if (!held.has_books || held.head == 0) {
        return;
    }
    held.ranges.add(held.received);
    // A service that runs has freed rows meanwhile, and says at the end what the platform has.
    if (const auto books = rows_.books(held.store, survey_.epochs[epoch].number, lane)) {
        held.ranges.add(books->received);
    }
    about.missing = held.ranges.holes({1, held.head});
    for (const auto& hole : about.missing) {
        survey_.missing += hole.size();
        mistake("epoch " + epoch.hex() + ", lane " + std::string(to_string(lane)) + ": sequences " +
                std::to_string(hole.first) + " to " + std::to_string(hole.last) + " are missing");
    }
}

StoreSurvey Surveyor::conclude()
{
    if (const auto heads = rows_.heads()) {
        for (const auto& known : *heads) {
            for (const auto lane : all_lanes) {
                const auto found = held_.find({known.epoch, lane});
                const auto durable = known.heads[index_of(lane)];
                if (found != held_.end() && found->second.head < durable) {
                    found->second.head = durable;  // what was durable and is not in the books
                }
            }
        }
    }
    for (auto& [key, held] : held_) {
        find_missing(key.first, key.second, held);
    }
    for (const auto& [number, problem] : rows_.problems()) {
        mistake("store " + std::to_string(number) + " " + problem);
    }
    return std::move(survey_);
}

}  // namespace

StoreSurvey survey(HeldRows& rows, bool whole,
                   const std::function<void(std::uint64_t rows)>& progress)
{
    Surveyor surveyor(rows, whole);
    std::uint64_t seen = 0;
    rows.visit([&](const HeldRow& row) {
        surveyor.look_at(row);
        progress(++seen);
    });
    return surveyor.conclude();
}

}  // namespace gateway
