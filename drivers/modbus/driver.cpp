#include "drivers/modbus/driver.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace gateway::modbus {

namespace asio = boost::asio;

namespace {

constexpr std::uint8_t illegal_function = 1;
constexpr std::uint8_t device_failure = 4;

constexpr unsigned most_identification_parts = 16;

/// Some units keep silent on what they do not know, so one silent request is
/// not yet a silent unit.
constexpr unsigned silent_requests_of_a_silent_unit = 2;

bool may_be_a_single_register(std::uint8_t exception)
{
    return exception >= illegal_function && exception <= device_failure;
}

/// The unit may still answer something else.
bool unit_may_live(const Error& error)
{
    return error == Fault::timed_out || error == Fault::short_frame ||
           error == Fault::bad_checksum || error == Fault::unexpected_reply;
}

Cause cause_of(const Error& error)
{
    if (error == Fault::timed_out) {
        return Cause::timeout;
    }
    if (error == Fault::short_frame) {
        return Cause::short_frame;
    }
    if (error == Fault::bad_checksum) {
        return Cause::crc;
    }
    return error == Fault::unexpected_reply ? Cause::unexpected_reply : Cause::unreachable;
}

void fail(std::span<const Part> parts, Samples& samples, Cause cause)
{
    for (const auto& part : parts) {
        auto& sample = samples[part.position];
        if (sample.quality == Quality::comm_error && sample.cause == Cause::none) {
            sample.cause = cause;
        }
    }
}

void put(Sample& sample, std::optional<Value> value)
{
    sample.quality = value ? Quality::good : Quality::bad;
    sample.cause = value ? Cause::none : Cause::not_a_number;
    if (value) {
        sample.raw = std::move(*value);
    }
}

}  // namespace

ModbusDriver::ModbusDriver(std::shared_ptr<Client> client, Layout points, Layout identity)
    : client_(std::move(client)),
      points_(std::move(points)),
      identity_(std::move(identity)),
      all_identity_(identity_.locations().size())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

asio::awaitable<Result<Samples>> ModbusDriver::read(PointSet due)
{
    return collect(points_, due);
}

asio::awaitable<Result<Identity>> ModbusDriver::identify()
{
    auto samples = co_await collect(identity_, all_identity_);
    if (!samples) {
        co_return samples.error();
    }
    Identity identity(samples->size());
    for (std::size_t i = 0; i < identity.size(); ++i) {
        auto& sample = (*samples)[i];
        if (sample.quality == Quality::good) {
            identity[i] = std::move(sample.raw);
        }
    }
    co_return identity;
}

asio::awaitable<Result<Samples>> ModbusDriver::collect(Layout& layout, PointSet due)
{
    Samples samples(due.size());
    for (std::size_t i = 0; i < due.size(); ++i) {
        samples[i].row = due[i];
        samples[i].quality = Quality::comm_error;
    }
    const auto& blocks = layout.plan_for(due);
    bool answered = blocks.empty();
    unsigned silent_in_a_row = 0;
    Error failure;
    for (const auto& block : blocks) {
        const auto got = co_await read_block(layout, block, samples);
        if (got) {
            answered = true;
            silent_in_a_row = 0;
            continue;
        }
        failure = got.error();
        fail(block.parts, samples, cause_of(failure));
        if (!unit_may_live(failure) || ++silent_in_a_row == silent_requests_of_a_silent_unit) {
            break;
        }
    }
    client_->set_silent(!answered);
    if (!answered) {
        co_return failure;
    }
    for (const auto& block : blocks) {
        fail(block.parts, samples, cause_of(failure));  // those never asked for
    }
    co_return samples;
}

asio::awaitable<Result<Taken>> ModbusDriver::read_block(Layout& layout, const Block& block,
                                                        Samples& samples)
{
    if (block.function == Function::device_identification) {
        co_return co_await read_identification(block, samples);
    }
    Buffer buffer;  // NOLINT: filled by the device
    const Request request{.function = block.function, .first = block.first, .count = block.count};
    const auto answer = co_await client_->ask(request, buffer);
    if (!answer) {
        co_return answer.error();
    }
    const bool single = block.parts.size() == 1;
    const auto exception = answer->exception;
    if (exception == 0) {
        for (const auto& part : block.parts) {
            put(samples[part.position],
                value_in(layout.locations()[part.row], part.offset, answer->data));
        }
        if (single) {
            layout.answered_alone(block.parts.front().row);
        }
        co_return Taken::all;
    }
    if (!single && may_be_a_single_register(exception)) {
        co_return co_await read_halves(layout, block, samples);
    }
    if (single) {
        layout.isolate(block.parts.front().row);
    }
    fail(block.parts, samples, exception_cause(exception));
    co_return Taken::not_all;
}

asio::awaitable<Result<Taken>> ModbusDriver::read_halves(Layout& layout, const Block& block,
                                                         Samples& samples)
{
    const auto middle = block.parts.size() / 2;
    const auto low = part_of(block, layout.locations(), 0, middle);
    const auto high = part_of(block, layout.locations(), middle, block.parts.size());
    const auto low_answered = co_await read_block(layout, low, samples);
    if (!low_answered) {
        co_return low_answered.error();
    }
    const auto high_answered = co_await read_block(layout, high, samples);
    if (!high_answered) {
        co_return high_answered.error();
    }
    if (*low_answered != Taken::all || *high_answered != Taken::all) {
        co_return Taken::not_all;
    }
    layout.cut_before(high.parts.front().row);  // what lies between the two was refused
    co_return Taken::all;
}

asio::awaitable<Result<Taken>> ModbusDriver::read_identification(const Block& block,
                                                                 Samples& samples)
{
    Buffer buffer;  // NOLINT: filled by the device
    Request request{.function = block.function, .first = block.first, .count = block.count};
    for (unsigned i = 0; i < most_identification_parts; ++i) {
        const auto answer = co_await client_->ask(request, buffer);
        if (!answer) {
            co_return answer.error();
        }
        if (answer->exception != 0) {
            fail(block.parts, samples, exception_cause(answer->exception));
            co_return Taken::not_all;
        }
        const auto identification = decode_identification(request, answer->data);
        if (!identification) {
            co_return identification.error();
        }
        for (const auto& object : identification->objects) {
            for (const auto& part : block.parts) {
                if (part.offset == object.id) {
                    auto text = printable(object.value);
                    put(samples[part.position],
                        text ? std::optional(Value::of_text(std::move(*text))) : std::nullopt);
                }
            }
        }
        if (!identification->more_follows || identification->next <= request.first) {
            break;
        }
        request.first = identification->next;
    }
    for (const auto& part : block.parts) {
        auto& sample = samples[part.position];
        if (sample.quality == Quality::comm_error) {
            sample.quality = Quality::missing;  // the device answered without it
        }
    }
    co_return Taken::all;
}

}  // namespace gateway::modbus
