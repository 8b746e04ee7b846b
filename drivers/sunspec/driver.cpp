#include "drivers/sunspec/driver.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gateway::sunspec {

namespace asio = boost::asio;

namespace {

modbus::Request holding(std::uint16_t first, std::uint16_t count)
{
    return {.first = first, .count = count};
}

}  // namespace

SunspecDriver::Registers::Registers(Layout found, std::shared_ptr<modbus::Client> client,
                                    const modbus::Limits& limits)
    : layout(std::move(found)),
      driver(std::move(client), modbus::Layout(layout.locations, limits),
             modbus::Layout({}, limits))
{
}

SunspecDriver::SunspecDriver(std::shared_ptr<modbus::Client> client, Map map)
    : client_(std::move(client)), map_(std::move(map)), all_identity_(map_.identity.size())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

asio::awaitable<Result<Samples>> SunspecDriver::read(PointSet due)
{
    if (!points_) {
        const auto found = co_await find_models();
        if (!found) {
            co_return found.error();
        }
    }
    auto samples = co_await collect(*points_, map_.points, due);
    if (!samples) {
        points_.reset();
    }
    co_return samples;
}

asio::awaitable<Result<Identity>> SunspecDriver::identify()
{
    const auto found = co_await find_models();
    if (!found) {
        co_return found.error();
    }
    auto samples = co_await collect(*identity_, map_.identity, all_identity_);
    if (!samples) {
        co_return samples.error();
    }
    Identity identity;
    for (auto& sample : *samples) {
        const bool said = sample.quality == Quality::good;
        identity.push_back(said ? std::optional(std::move(sample.raw)) : std::nullopt);
    }
    co_return identity;
}

asio::awaitable<Result<Samples>> SunspecDriver::collect(Registers& registers,
                                                        const std::vector<Wanted>& wanted,
                                                        PointSet due)
{
    ask_for(registers.layout, due, registers.asked);
    const auto answers = co_await registers.driver.read(registers.asked);
    if (!answers) {
        co_return answers.error();
    }
    Samples samples;
    take(registers.layout, wanted, due, registers.asked, *answers, samples);
    co_return samples;
}

asio::awaitable<Status> SunspecDriver::find_models()
{
    const auto base = co_await find_base();
    client_->set_silent(!base && base.error() == Fault::timed_out);
    if (!base) {
        co_return base.error();
    }
    const auto models = co_await walk(*base);
    if (!models) {
        co_return models.error();
    }
    // Where the chain was found is tried first the next time.
    std::stable_partition(map_.bases.begin(), map_.bases.end(),
                          [&](std::uint16_t other) { return other == *base; });
    points_ = std::make_unique<Registers>(locate(map_.points, *models), client_, map_.limits);
    identity_ = std::make_unique<Registers>(locate(map_.identity, *models), client_, map_.limits);
    co_return Status();
}

/// Devices refuse addresses that they do not have, or keep silent; a dead one is not asked thrice.
asio::awaitable<Result<std::uint16_t>> SunspecDriver::find_base()
{
    modbus::Buffer buffer;  // NOLINT: filled by the device
    bool silent_before = false;
    for (const auto base : map_.bases) {
        const auto answer = co_await client_->ask(holding(base, marker_words), buffer);
        const bool silent = !answer && answer.error() == Fault::timed_out;
        if (!answer && (!silent || silent_before)) {
            co_return answer.error();
        }
        if (answer && answer->exception == 0 && is_marker(answer->data)) {
            co_return base;
        }
        silent_before = silent;
    }
    co_return silent_before ? Fault::timed_out : Fault::unexpected_reply;
}

asio::awaitable<Result<std::vector<Model>>> SunspecDriver::walk(std::uint16_t base)
{
    modbus::Buffer buffer;  // NOLINT: filled by the device
    Chain chain(base);
    while (const auto header = chain.next_header()) {
        const auto answer = co_await client_->ask(holding(*header, header_words), buffer);
        if (!answer) {
            co_return answer.error();
        }
        if (answer->exception != 0) {
            break;  // some devices end without a marker
        }
        if (!chain.take(answer->data)) {
            break;
        }
    }
    if (chain.models().empty()) {
        co_return Fault::malformed;
    }
    co_return chain.models();
}

}  // namespace gateway::sunspec
