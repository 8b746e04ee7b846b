#include "gateway/acquire/slot_account.hpp"

#include <boost/asio/error.hpp>

namespace gateway {

namespace {

void add(SlotCounts& total, const SlotCounts& more)
{
    total.expected += more.expected;
    total.good += more.good;
    total.other += more.other;
    total.suppressed += more.suppressed;
    for (const auto& [cause, count] : more.missed) {
        total.missed[cause] += count;
    }
}

}  // namespace

Cause cause_of(const Error& error)
{
    if (error == boost::asio::error::timed_out) {
        return Cause::timeout;
    }
    if (error.category() != fault_category()) {
        return Cause::unreachable;  // the connection's own errors
    }
    switch (static_cast<Fault>(error.value())) {
        case Fault::timed_out:
            return Cause::timeout;
        case Fault::bad_checksum:
            return Cause::crc;
        case Fault::short_frame:
            return Cause::short_frame;
        case Fault::unexpected_reply:
        case Fault::malformed:
        case Fault::too_large:
            return Cause::unexpected_reply;
        case Fault::refused:
        case Fault::not_found:
        case Fault::closed:
        case Fault::no_space:
            return Cause::unreachable;
    }
    return Cause::unreachable;
}

void SlotAccount::missed(Lane lane, Cause cause, std::uint64_t count)
{
    auto& slots = open_[index_of(lane)];
    slots.expected += count;
    slots.missed[cause] += count;
}

void SlotAccount::hand_over(Sink& sink)
{
    for (const auto lane : all_lanes) {
        auto& slots = open_[index_of(lane)];
        if (slots.expected > 0) {
            sink.count(lane, slots);
            add(total_, slots);
            slots = {};
        }
    }
}

}  // namespace gateway
