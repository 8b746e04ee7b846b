#pragma once

#include "gateway/receiver/topic.hpp"
#include "gateway/store/batch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gateway::test {

inline const std::string box = "place-1714000.box-0001";
inline const std::string org = "place-1714000";
inline const EpochId epoch = *Id128::from_hex("00112233445566778899aabbccddeeff");
inline const BootId boot = *Id128::from_hex("0f0e0d0c0b0a09080706050403020100");

/// A dictionary of device 3: row 0 a float32 in V, row 1 an int with scale 5/9 and offset -160/9,
/// row 2 an enum, row 3 a text, row 4 an uint64 counter, and the alarm 32768.
inline std::string dictionary_text(const std::string& of_box = box,
                                   const std::string& name = "Main")
{
    return R"({"schema":"smartstate.dictionary/1","box":")" + of_box + R"(","org":")" + org + R"(",
"device":{"index":3,"id":"meter","name":")" +
           name + R"(","location":{"lat":41.88,"lon":-87.63},"serial":"17330042","firmware":"1.4",
"order":null,"asset":null,"publish":"agency","profile":{"id":"il.meter","version":"1.0.0",
"sha256":"00"},"verdict":{"identity":"verified","contract":"unsigned"},"parameters":{}},
"points":[
{"row":0,"id":"voltage","label":null,"title":"Voltage \"L1\"","quantity":"electrical.voltage",
"unit":"V","kind":"float32","scale":"1","offset":"0","enum":null,"class":"telemetry","publish":"open"},
{"row":1,"id":"air","title":"Air","quantity":"temperature","unit":"Cel","kind":"int16","scale":"5/9",
"offset":"-160/9","enum":null,"class":"telemetry","publish":"agency"},
{"row":2,"id":"door","title":"Door","quantity":"state","unit":null,"kind":"uint16","scale":"1",
"offset":"0","enum":{"0":"closed","1":"open","18446744073709551615":"broken"},"class":"telemetry",
"publish":"agency"},
{"row":3,"id":"label","title":"Label","quantity":"text","unit":null,"kind":"text","scale":"1",
"offset":"0","enum":null,"class":"telemetry","publish":"agency"},
{"row":4,"id":"energy","title":"Energy","quantity":"electrical.energy","unit":"Wh","kind":"uint64",
"scale":"1","offset":"0","enum":null,"class":"billing","publish":"agency"}],
"alarms":[{"row":32768,"id":"under_voltage","point":"voltage","severity":"warning",
"text":"Supply voltage low"}]})";
}

inline Topic dictionary_topic(const std::string& text, const std::string& of_box = box)
{
    return {TopicKind::dictionary, org, of_box, dictionary_hash(text)};
}

inline BatchHeader header(std::uint64_t first, Lane lane = Lane::telemetry,
                          ClockState clock = ClockState::synced)
{
    BatchHeader made;
    made.box = box;
    made.epoch = epoch;
    made.lane = lane;
    made.first = first;
    made.boot = boot;
    made.opened = BootTime(std::chrono::milliseconds(1'000));
    // 2026-08-01T10:00:00.000Z at boot + 1 s
    made.clock = {WallTime(std::chrono::milliseconds(1'785'578'400'000)), clock, 12};
    made.dictionaries = {{3, dictionary_hash(dictionary_text())}};
    return made;
}

inline Reading reading(std::uint16_t row, Value value, std::int64_t boot_ms = 1'250)
{
    return {.alias = {3, row},
            .time = BootTime(std::chrono::milliseconds(boot_ms)),
            .value = std::move(value)};
}

/// `count` readings of row 1 that count up from `start`, 10 ms apart.
inline std::vector<Reading> ramp(std::size_t count, std::int64_t start = 0)
{
    std::vector<Reading> made;
    for (std::size_t i = 0; i < count; ++i) {
        const auto step = static_cast<std::int64_t>(i);
        made.push_back(reading(1, Value::integer(start + step), 1'000 + step * 10));
    }
    return made;
}

}  // namespace gateway::test
