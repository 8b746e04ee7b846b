#include "gateway/acquire/normalise.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

namespace gateway {

namespace {

constexpr std::uint16_t point_count = 100;

// A device whose points have what most have: a scale, a sentinel, a valid range.
DeviceConfig device_with_rules()
{
    auto profile = std::make_shared<Profile>();
    Factors factors;
    for (std::uint16_t row = 0; row < point_count; ++row) {
        Point point;
        point.id = "p" + std::to_string(row);
        point.scale.times = Fraction::of(1, 10).value();
        point.missing = {Value::integer(0x7FFF)};
        point.missing_nan = true;
        point.valid_low = Fraction(0);
        point.valid_high = Fraction(3000);
        point.poll = std::chrono::milliseconds(100);
        profile->points.push_back(point);
        factors.scale.push_back(point.scale.times);
        factors.offset.emplace_back(0);
    }
    DeviceConfig device;
    device.factors = std::make_shared<const Factors>(std::move(factors));
    device.profile = std::move(profile);
    return device;
}

template <typename MakeValue>
void normalise(benchmark::State& state, MakeValue make_value)
{
    const auto device = device_with_rules();
    Normaliser normaliser(0, std::make_shared<const DeviceRules>(device, ""));
    std::vector<std::uint16_t> due(point_count);
    Samples samples(point_count);
    std::int32_t step = 0;
    for (auto _ : state) {
        ++step;
        for (std::uint16_t row = 0; row < point_count; ++row) {
            due[row] = row;
            samples[row] = Sample{.row = row, .raw = make_value(2300 + (step + row) % 50)};
        }
        const BootTime now{std::chrono::milliseconds(100 * std::int64_t{step})};
        benchmark::DoNotOptimize(normaliser.judge(samples, due, now, Cause::none));
    }
    state.SetItemsProcessed(state.iterations() * point_count);
}

void normalise_integers(benchmark::State& state)
{
    normalise(state, [](std::int32_t number) { return Value::integer(number); });
}
BENCHMARK(normalise_integers);

void normalise_float32(benchmark::State& state)
{
    normalise(state,
              [](std::int32_t number) { return Value::float32(static_cast<float>(number) / 10); });
}
BENCHMARK(normalise_float32);

}  // namespace

}  // namespace gateway
