// batch_tool encode: a batch as JSON on each line of standard input, its bytes as hex digits on
// each line of standard output. batch_tool decode: the other way; {"refused": "why"} for a bad one.
// Floats go by their bit pattern. What read_batch.py is compared with.
#include "gateway/core/digest.hpp"
#include "gateway/core/fraction.hpp"
#include "gateway/core/json.hpp"
#include "gateway/store/batch.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using namespace gateway;

constexpr std::array<std::string_view, 7> kind_names{"none",    "int32",   "int64", "uint64",
                                                     "float32", "float64", "text"};

BootTime boot_time(const json::value& ms)
{
    return BootTime(std::chrono::milliseconds(ms.to_number<std::int64_t>()));
}

WallTime wall_time(const json::value& ms)
{
    return WallTime(std::chrono::milliseconds(ms.to_number<std::int64_t>()));
}

std::string_view text(const json::value& value)
{
    return value.as_string();
}

Value value_from(std::string_view kind, const json::value& value)
{
    if (kind == "none") {
        return {};
    }
    if (kind == "text") {
        return Value::of_text(std::string(text(value)));
    }
    if (kind == "float32") {
        return Value::from_bits(Kind::float32, value.to_number<std::uint32_t>());
    }
    if (kind == "float64") {
        return Value::from_bits(Kind::float64, value.to_number<std::uint64_t>());
    }
    return kind == "uint64" ? Value::unsigned_integer(value.to_number<std::uint64_t>())
                            : Value::integer(value.to_number<std::int64_t>());
}

json::value value_to(const Value& value)
{
    switch (value.kind()) {
        case Kind::none:
            return nullptr;
        case Kind::int32:
        case Kind::int64:
            return value.as_int64();
        case Kind::uint64:
        case Kind::float32:
        case Kind::float64:
            return value.bits();
        case Kind::text:
            return json::string(value.text());
    }
    return nullptr;
}

Reading reading_from(const json::object& object)
{
    Reading reading;
    reading.alias = {object.at("device").to_number<std::uint16_t>(),
                     object.at("row").to_number<std::uint16_t>()};
    reading.time = boot_time(object.at("time"));
    reading.value = value_from(text(object.at("kind")), object.at("value"));
    reading.quality = static_cast<Quality>(object.at("quality").to_number<std::uint8_t>());
    reading.cause = static_cast<Cause>(object.at("cause").to_number<std::uint16_t>());
    if (!object.at("device_time").is_null()) {
        reading.device_time = wall_time(object.at("device_time"));
    }
    return reading;
}

json::object reading_to(std::uint64_t sequence, const Reading& reading)
{
    json::value device_time;
    if (reading.device_time) {
        device_time = reading.device_time->time_since_epoch().count();
    }
    return {{"device", reading.alias.device},
            {"row", reading.alias.row},
            {"time", reading.time.time_since_epoch().count()},
            {"kind", kind_names.at(static_cast<std::size_t>(reading.value.kind()))},
            {"value", value_to(reading.value)},
            {"quality", static_cast<unsigned>(reading.quality)},
            {"cause", static_cast<unsigned>(reading.cause)},
            {"device_time", device_time},
            {"mix", hash_hex(mix(sequence, reading))}};
}

Tombstone tombstone_from(const json::object& object, std::uint64_t count)
{
    Tombstone lost{.count = count,
                   .reason = static_cast<LossReason>(object.at("reason").to_number<std::uint8_t>()),
                   .first_time = {},
                   .last_time = {},
                   .counts = {}};
    if (!object.at("first_time_ms").is_null()) {
        lost.first_time = boot_time(object.at("first_time_ms"));
    }
    if (!object.at("last_time_ms").is_null()) {
        lost.last_time = boot_time(object.at("last_time_ms"));
    }
    for (const auto& row : object.at("counts").as_array()) {
        const auto& columns = row.as_array();
        lost.counts.push_back({Alias{columns.at(0).to_number<std::uint16_t>(),
                                     columns.at(1).to_number<std::uint16_t>()},
                               columns.at(2).to_number<std::uint32_t>()});
    }
    return lost;
}

json::object tombstone_to(const Tombstone& lost)
{
    const auto time = [](const std::optional<BootTime>& known) {
        return known ? json::value(known->time_since_epoch().count()) : json::value();
    };
    json::array counts;
    for (const auto& [alias, count] : lost.counts) {
        counts.push_back(json::array{alias.device, alias.row, count});
    }
    return {{"reason", static_cast<unsigned>(lost.reason)},
            {"first_time_ms", time(lost.first_time)},
            {"last_time_ms", time(lost.last_time)},
            {"counts", std::move(counts)}};
}

BatchHeader header_from(const json::object& object)
{
    BatchHeader header;
    header.box = std::string(text(object.at("box")));
    header.epoch = Id128::from_hex(text(object.at("epoch"))).value();
    header.lane = lane_from(text(object.at("lane"))).value();
    header.first = object.at("first").to_number<std::uint64_t>();
    header.boot = Id128::from_hex(text(object.at("boot"))).value();
    header.opened = boot_time(object.at("boottime_ms"));
    header.clock = {wall_time(object.at("wall_ms")),
                    static_cast<ClockState>(object.at("clock").to_number<std::uint8_t>()),
                    object.at("clock_error_ms").to_number<std::uint32_t>()};
    for (const auto& row : object.at("dictionaries").as_array()) {
        header.dictionaries.push_back({row.as_array().at(0).to_number<std::uint16_t>(),
                                       hash_from_hex(text(row.as_array().at(1))).value()});
    }
    return header;
}

json::object batch_to(const Batch& batch)
{
    const auto& header = batch.header;
    json::array dictionaries;
    for (const auto& [device, hash] : header.dictionaries) {
        dictionaries.push_back(json::array{device, hash_hex(hash)});
    }
    json::object object{{"box", header.box},
                        {"epoch", header.epoch.hex()},
                        {"lane", to_string(header.lane)},
                        {"first", header.first},
                        {"count", batch.count()},
                        {"boot", header.boot.hex()},
                        {"boottime_ms", header.opened.time_since_epoch().count()},
                        {"wall_ms", header.clock.wall.time_since_epoch().count()},
                        {"clock", static_cast<unsigned>(header.clock.state)},
                        {"clock_error_ms", header.clock.error_ms},
                        {"dictionaries", std::move(dictionaries)}};
    if (const auto* lost = std::get_if<Tombstone>(&batch.content)) {
        object["tombstone"] = tombstone_to(*lost);
        return object;
    }
    json::array readings;
    auto sequence = header.first;
    for (const auto& reading : std::get<std::vector<Reading>>(batch.content)) {
        readings.push_back(reading_to(sequence++, reading));
    }
    object["readings"] = std::move(readings);
    return object;
}

std::string encoded(const std::string& line)
{
    const auto parsed = json::parse(line);
    const auto& object = parsed.as_object();
    const auto header = header_from(object);
    if (const auto* lost = object.if_contains("tombstone")) {
        return to_hex(encode(
            header,
            tombstone_from(lost->as_object(), object.at("count").to_number<std::uint64_t>())));
    }
    std::vector<Reading> readings;
    for (const auto& reading : object.at("readings").as_array()) {
        readings.push_back(reading_from(reading.as_object()));
    }
    return to_hex(encode(header, readings));
}

std::string decoded(const std::string& line)
{
    Bytes message;
    for (std::size_t at = 0; at + 1 < line.size(); at += 2) {
        message.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(at, 2), nullptr, 16)));
    }
    const auto batch = decode(message);
    return json::serialize(batch ? batch_to(*batch)
                                 : json::object{{"refused", batch.error().message()}});
}

std::string shown(const std::string& line)
{
    const auto parsed = json::parse(line);
    const auto& object = parsed.as_object();
    const auto decimal = apply(value_from(text(object.at("kind")), object.at("value")),
                               Fraction::parse(text(object.at("scale"))).value(),
                               Fraction::parse(text(object.at("offset"))).value());
    return decimal ? (decimal->json_number ? "number " : "string ") + decimal->text : "nothing";
}

using Answer = std::string (*)(const std::string& line);

Answer answer_to(std::string_view command)
{
    return command == "encode"   ? encoded
           : command == "decode" ? decoded
           : command == "show"   ? shown
                                 : Answer{};
}

}  // namespace

int main(int count, char** arguments)
{
    const auto answer = answer_to(count == 2 ? arguments[1] : "");
    if (answer == nullptr) {
        std::cerr << "usage: batch_tool encode|decode|show\n";
        return 64;
    }
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << answer(line) << '\n';
    }
    return EXIT_SUCCESS;
}
