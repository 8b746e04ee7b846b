// What one poll of a shipped profile costs in each codec, and how often it asks for memory once the
// first polls are behind it: `allocations` counts the calls of operator new per poll.
#include "drivers/ascii/frames.hpp"
#include "drivers/ascii/line_map.hpp"
#include "drivers/http_json/device.hpp"
#include "drivers/json/body.hpp"
#include "drivers/modbus/driver.hpp"
#include "drivers/modbus/register_map.hpp"
#include "drivers/sunspec/map.hpp"
#include "drivers/sysfs/source_map.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/vocabulary.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <new>
#include <numeric>
#include <stdexcept>

namespace {

std::uint64_t allocations = 0;

void* counted(std::size_t size)
{
    ++allocations;
    if (void* const memory = std::malloc(size)) {  // NOLINT(cppcoreguidelines-no-malloc)
        return memory;
    }
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size)
{
    return counted(size);
}
void* operator new[](std::size_t size)
{
    return counted(size);
}
void operator delete(void* memory) noexcept
{
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete[](void* memory) noexcept
{
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete[](void* memory, std::size_t) noexcept
{
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

namespace gateway {
namespace {

namespace asio = boost::asio;

Profile shipped(const std::string& name)
{
    const auto path = schemas_folder() + "/profiles/il." + name + ".profile.toml";
    const auto text = read_file(path, longest_document);
    Mistakes mistakes;
    auto profile = parse_profile(text ? *text : std::string(), path, mistakes);
    if (!mistakes.empty()) {
        throw std::runtime_error(mistakes.text());
    }
    return profile;
}

std::vector<std::uint16_t> all_rows(const Profile& profile)
{
    std::vector<std::uint16_t> rows(profile.points.size());
    std::iota(rows.begin(), rows.end(), std::uint16_t{0});
    return rows;
}

/// Polls until the memory that is kept is there, then measures.
template <typename Poll>
void measure(benchmark::State& state, std::size_t points, Poll poll)
{
    for (int warm_up = 0; warm_up < 64; ++warm_up) {
        poll();
    }
    const auto before = allocations;
    for (auto _ : state) {
        poll();
    }
    const auto polls = static_cast<double>(state.iterations());
    state.counters["allocations"] = static_cast<double>(allocations - before) / polls;
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(points));
}

/// A unit whose registers all hold 1: writes the answer to a request for registers.
std::size_t answer_pdu(ByteView request, std::span<std::uint8_t> out)
{
    const auto bytes = static_cast<std::uint8_t>(2 * request[4]);
    out[0] = request[0];
    out[1] = bytes;
    for (std::size_t i = 0; i < bytes; ++i) {
        out[2 + i] = i % 2;
    }
    return 2U + bytes;
}

std::size_t answer_tcp(ByteView question, std::span<std::uint8_t> out)
{
    const auto size = answer_pdu(question.subspan(modbus::header_size), out.subspan(7));
    std::copy_n(question.begin(), modbus::header_size, out.begin());
    out[5] = static_cast<std::uint8_t>(size + 1);
    return modbus::header_size + size;
}

std::size_t answer_rtu(ByteView question, std::span<std::uint8_t> out)
{
    out[0] = question[0];
    const auto size = 1 + answer_pdu(question.subspan(1), out.subspan(1));
    const auto crc = modbus::crc16(out.first(size));
    out[size] = static_cast<std::uint8_t>(crc);
    out[size + 1] = static_cast<std::uint8_t>(crc >> 8);
    return size + 2;
}

void modbus_codec(benchmark::State& state, bool rtu)
{
    const auto profile = shipped("energy-meter.schneider-iem3155");
    Mistakes mistakes;
    const auto map = modbus::read_map(profile, mistakes);
    modbus::Layout layout(map.points, map.limits);
    const auto due = all_rows(profile);
    Samples samples(due.size());
    modbus::Buffer buffer{};
    measure(state, due.size(), [&] {
        for (const auto& block : layout.plan_for(due)) {
            const modbus::Request request{
                .function = block.function, .first = block.first, .count = block.count};
            const auto question = rtu ? modbus::encode_rtu(request) : modbus::encode(7, request);
            const auto size = (rtu ? answer_rtu : answer_tcp)(question.view(), buffer);
            const auto frame = ByteView(buffer).first(size);
            const auto answer = rtu ? modbus::find_answer(request, frame, modbus::Line::talking)
                                    : modbus::decode(7, request, frame);
            for (const auto& part : block.parts) {
                auto value = modbus::value_in(map.points[part.row], part.offset, answer->data);
                samples[part.position].raw = std::move(*value);
            }
        }
        benchmark::DoNotOptimize(samples.data());
    });
}

void modbus_tcp_codec(benchmark::State& state)
{
    modbus_codec(state, false);
}
BENCHMARK(modbus_tcp_codec);

void modbus_rtu_codec(benchmark::State& state)
{
    modbus_codec(state, true);
}
BENCHMARK(modbus_rtu_codec);

void sunspec_codec(benchmark::State& state)
{
    const auto profile = shipped("solar.sunspec-inverter");
    const auto map = sunspec::read_map(profile);
    const auto layout = sunspec::locate(map.points, sunspec::smallest_models(map.points));
    const auto due = all_rows(profile);
    std::vector<std::uint16_t> asked;
    Samples answers;
    Samples samples;
    measure(state, due.size(), [&] {
        sunspec::ask_for(layout, due, asked);
        answers.resize(asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            answers[i].row = asked[i];
            answers[i].raw = Value::integer(1);
        }
        sunspec::take(layout, map.points, due, asked, answers, samples);
        benchmark::DoNotOptimize(samples.data());
    });
}
BENCHMARK(sunspec_codec);

void ascii_codec(benchmark::State& state)
{
    const auto profile = shipped("rain-gauge.hydreon-rg15");
    Mistakes mistakes;
    const auto map = ascii::read_map(profile, "0", mistakes);
    ascii::Frames frames(map.grammar.start, map.grammar.end, map.grammar.longest);
    constexpr std::string_view line =
        "Acc  0.01 mm, EventAcc  1.50 mm, TotalAcc 123.45 mm, RInt  3.20 mmph\r\n";
    Samples samples(map.points.size());
    measure(state, map.points.size(), [&] {
        frames.clear(false);
        frames.add(line);
        while (const auto next = frames.next()) {
            if (ascii::is_skipped(map.grammar, **next)) {
                continue;
            }
            const auto body = ascii::body_of(map.grammar, **next);
            for (std::size_t row = 0; row < samples.size(); ++row) {
                samples[row] = *ascii::sample_in(map.points[row], map.grammar, *body);
            }
        }
        benchmark::DoNotOptimize(samples.data());
    });
}
BENCHMARK(ascii_codec);

void json_codec(benchmark::State& state)
{
    const auto profile = shipped("energy-meter.shelly-pro-3em");
    Mistakes mistakes;
    const auto map = http_json::read_documents(profile, "", mistakes);
    const auto text = get<std::string>(profile.examples.front().raw, "body", {});
    const auto due = all_rows(profile);
    json_text::Body body(map);
    Samples samples;
    measure(state, due.size(), [&] {
        samples.clear();
        if (body.take(text, 0) && body.counts()) {
            body.collect(map.points, due, samples);
        }
        benchmark::DoNotOptimize(samples.data());
    });
}
BENCHMARK(json_codec);

void sysfs_codec(benchmark::State& state)
{
    const auto profile = shipped("temperature.maxim-ds18b20");
    const auto map = sysfs::read_map(profile);
    const std::vector<sysfs::Content> contents{
        {.text = std::string("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
                             "72 01 4b 46 7f ff 0e 10 57 t=23125\n"),
         .times = {},
         .plus = {}}};
    measure(state, 1, [&] {
        const auto sample = sysfs::sample_of(map.points.front(), contents);
        benchmark::DoNotOptimize(&sample);
    });
}
BENCHMARK(sysfs_codec);

/// A unit that answers at once, without a network.
class Unit final : public ByteStream {
public:
    asio::awaitable<Status> connect() override { co_return Status(); }
    asio::awaitable<Status> write(ByteView data) override
    {
        size_ = answer_tcp(data, answer_);
        co_return Status();
    }
    asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        const auto count = std::min(size_, into.size());
        std::copy_n(answer_.begin(), count, into.begin());
        size_ = 0;
        co_return count;
    }
    asio::awaitable<Status> read_exactly(std::span<std::uint8_t>) override
    {
        co_return Fault::closed;
    }
    Result<std::size_t> drain() override { return std::size_t{0}; }

private:
    void cancel() override {}

    std::array<std::uint8_t, modbus::largest_frame> answer_{};
    std::size_t size_ = 0;
};

/// The whole poll of a driver: with the coroutines and the deadline of each exchange.
void modbus_poll(benchmark::State& state)
{
    const auto profile = shipped("energy-meter.schneider-iem3155");
    Mistakes mistakes;
    auto map = modbus::read_map(profile, mistakes);
    asio::io_context io(1);
    const auto open = []() -> asio::awaitable<Result<std::unique_ptr<ByteStream>>> {
        co_return std::make_unique<Unit>();
    };
    const auto bus = std::make_shared<StreamBus>(io.get_executor(), open);
    auto client = std::make_shared<modbus::Client>(
        modbus::make_tcp_link(bus, std::chrono::seconds(1), {}), std::uint8_t{1}, 0U);
    modbus::ModbusDriver driver(std::move(client), modbus::Layout(map.points, map.limits),
                                modbus::Layout({}, map.limits));
    const auto due = all_rows(profile);
    const auto poll = [&]() -> asio::awaitable<void> {
        const auto samples = co_await driver.read(due);
        if (!samples || samples->front().quality != Quality::good) {
            throw std::runtime_error("the unit was not read");
        }
    };
    measure(state, due.size(), [&] {
        asio::co_spawn(io, poll(), [](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        });
        io.restart();
        io.run();
    });
    modbus::Layout layout(map.points, map.limits);
    state.counters["requests"] = static_cast<double>(layout.plan_for(due).size());
}
BENCHMARK(modbus_poll);

}  // namespace
}  // namespace gateway
