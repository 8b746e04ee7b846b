#include "gateway/app/store_rows.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t slice_bytes = 256 << 10;
constexpr const char* unusable = "the store cannot be used now: smart-gateway status";

json::object books(Outbox& outbox)
{
    json::array lanes;
    for (const auto& epoch : outbox.epochs()) {
        for (const auto lane : all_lanes) {
            json::array received;
            const auto confirmed = outbox.received(epoch.number, lane);
            for (const auto& range : confirmed.ranges()) {
                received.push_back(json::array{range.first, range.last});
            }
            lanes.push_back({{"number", epoch.number},
                             {"lane", to_string(lane)},
                             {"head", epoch.lanes[index_of(lane)].head},
                             {"received", std::move(received)}});
        }
    }
    return {{"books", std::move(lanes)}};
}

asio::awaitable<Status> send_dictionaries(Worker& store, Outbox& outbox, Reply& reply)
{
    auto held = [&outbox] { return outbox.dictionaries_held(); };
    for (const auto hash : co_await store.run(held)) {
        auto find = [&outbox, hash] { return outbox.dictionary(hash); };
        const auto text = co_await store.run(find);
        json::object line{{"dictionary", hash_hex(hash)}, {"text", text.value_or("")}};
        if (const auto sent = co_await reply.send(std::move(line)); !sent) {
            co_return sent;
        }
    }
    co_return Status();
}

asio::awaitable<Status> send_lane(Worker& store, Outbox& outbox, Lane lane, Reply& reply)
{
    std::uint32_t number = 0;
    std::uint64_t after = 0;
    for (;;) {
        auto read = [&outbox, lane, number, after] {
            return outbox.read(lane, number, after, slice_bytes);
        };
        const auto batches = co_await store.run(read);
        if (batches.empty()) {
            co_return Status();
        }
        for (const auto& batch : batches) {
            json::object line{{"number", batch.epoch_number},
                              {"first", batch.first},
                              {"message", to_hex(*batch.bytes)}};
            if (const auto sent = co_await reply.send(std::move(line)); !sent) {
                co_return sent;
            }
        }
        number = batches.back().epoch_number;
        after = batches.back().range().last;
    }
}

}  // namespace

asio::awaitable<void> answer_rows(Worker& store, Outbox& outbox, Reply& reply)
{
    auto look = [&outbox] { return outbox.is_usable() ? books(outbox) : refusal(unusable); };
    auto line = co_await store.run(look);
    const bool refused = line.contains("error");
    if (!co_await reply.send(std::move(line)) || refused ||
        !co_await send_dictionaries(store, outbox, reply)) {
        co_return;
    }
    for (const auto lane : all_lanes) {
        if (!co_await send_lane(store, outbox, lane, reply)) {
            co_return;
        }
    }
    line = co_await store.run(look);  // a refusal when it failed meanwhile
    line["end"] = true;
    co_await reply.send(std::move(line));
}

}  // namespace gateway
