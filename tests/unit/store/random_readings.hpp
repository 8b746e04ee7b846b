#pragma once

#include "gateway/store/batch.hpp"

#include <random>
#include <string>
#include <vector>

namespace gateway {

/// Readings of every kind, quality and cause, in random order, by a seed.
inline std::vector<Reading> random_readings(std::mt19937_64& random, std::size_t count,
                                            BootTime start)
{
    std::vector<Reading> readings(count);
    auto time = start;
    for (auto& reading : readings) {
        time += std::chrono::milliseconds(static_cast<int>(random() % 2000) - 500);
        reading.alias = {static_cast<std::uint16_t>(1 + random() % 4),
                         static_cast<std::uint16_t>(random() % 8 == 0 ? 0xFFFF : random() % 50)};
        reading.time = time;
        switch (random() % 7) {
            case 0:
                break;
            case 1:
                reading.value = Value::integer(static_cast<std::int32_t>(random()));
                break;
            case 2:
                reading.value = Value::integer(static_cast<std::int64_t>(random()));
                break;
            case 3:
                reading.value = Value::unsigned_integer(random());
                break;
            case 4:
                reading.value = Value::from_bits(Kind::float32, random() & 0xFFFFFFFFU);
                break;
            case 5:
                reading.value = Value::from_bits(Kind::float64, random());
                break;
            default:
                reading.value = Value::of_text(std::string(random() % 40, 'a'));
                break;
        }
        if (random() % 3 == 0) {
            reading.quality = static_cast<Quality>(random() % quality_count);
            reading.cause = static_cast<Cause>(random() % 300);
        }
        if (random() % 5 == 0) {
            reading.device_time =
                WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(random() >> 20)));
        }
    }
    return readings;
}

/// A header that names the devices of random_readings.
inline BatchHeader example_header(Lane lane = Lane::telemetry)
{
    BatchHeader header;
    header.box = "place-1714000.box-0001";
    header.epoch = *Id128::from_hex("00112233445566778899aabbccddeeff");
    header.lane = lane;
    header.first = 1'000'001;
    header.boot = *Id128::from_hex("ffeeddccbbaa99887766554433221100");
    header.opened = BootTime(std::chrono::milliseconds(86'400'000));
    header.clock = {WallTime(std::chrono::milliseconds(1'785'578'400'000)), ClockState::synced, 12};
    header.dictionaries = {{1, 11}, {2, 0xFFEEDDCCBBAA9988U}, {3, 33}, {4, 44}};
    return header;
}

}  // namespace gateway
