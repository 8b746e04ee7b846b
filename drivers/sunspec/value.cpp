#include "drivers/sunspec/value.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

namespace gateway::sunspec {

namespace {

struct Row {
    std::string_view name;
    Type type;
    modbus::Type registers;
    /// The raw value, as registers, that says "not implemented"; of floats and text another check.
    std::optional<std::uint64_t> absent = std::nullopt;
};

constexpr std::array rows{
    Row{"int16", Type::int16, modbus::Type::int16, 0xFFFF'FFFF'FFFF'8000},
    Row{"uint16", Type::uint16, modbus::Type::uint16, 0xFFFF},
    Row{"int32", Type::int32, modbus::Type::int32, 0xFFFF'FFFF'8000'0000},
    Row{"uint32", Type::uint32, modbus::Type::uint32, 0xFFFF'FFFF},
    Row{"int64", Type::int64, modbus::Type::int64, 0x8000'0000'0000'0000},
    Row{"uint64", Type::uint64, modbus::Type::uint64, 0xFFFF'FFFF'FFFF'FFFF},
    Row{"float32", Type::float32, modbus::Type::float32},
    Row{"float64", Type::float64, modbus::Type::float64},
    Row{"text", Type::text, modbus::Type::text},
    Row{"acc16", Type::acc16, modbus::Type::uint16, 0},
    Row{"acc32", Type::acc32, modbus::Type::uint32, 0},
    Row{"acc64", Type::acc64, modbus::Type::uint64, 0},
    Row{"enum16", Type::enum16, modbus::Type::uint16, 0xFFFF},
    Row{"enum32", Type::enum32, modbus::Type::uint32, 0xFFFF'FFFF},
    Row{"bitfield16", Type::bitfield16, modbus::Type::uint16, 0xFFFF},
    Row{"bitfield32", Type::bitfield32, modbus::Type::uint32, 0xFFFF'FFFF},
    Row{"bitfield64", Type::bitfield64, modbus::Type::uint64, 0xFFFF'FFFF'FFFF'FFFF},
};

const Row& row_of(Type type)
{
    return rows[static_cast<std::size_t>(type)];
}

bool is_absent(Type type, const Value& value)
{
    switch (value.kind()) {
        case Kind::text:
            return value.text().empty();
        case Kind::float32:
        case Kind::float64:
            return std::isnan(value.approximate());
        case Kind::none:
        case Kind::int32:
        case Kind::int64:
        case Kind::uint64:
            return row_of(type).absent == value.bits();
    }
    return false;
}

void fail(Sample& sample, Quality quality, Cause cause)
{
    sample.quality = quality;
    sample.cause = cause;
    sample.raw = Value();
}

constexpr int largest_exponent = 10;  // of either sign, says the specification

/// The value times 10^exponent: an integer where it is one, else the nearest double, which prints
/// as the decimal.
Value scaled(const Value& value, int exponent)
{
    std::int64_t factor = 1;
    for (int i = 0; i < std::abs(exponent); ++i) {
        factor *= 10;
    }
    if (exponent < 0) {
        return Value::float64(value.approximate() / static_cast<double>(factor));
    }
    std::int64_t product = 0;
    const bool narrow = value.kind() == Kind::int32 || value.kind() == Kind::int64;
    if (narrow && !__builtin_mul_overflow(value.as_int64(), factor, &product)) {
        return Value::integer(product);
    }
    return Value::float64(value.approximate() * static_cast<double>(factor));
}

}  // namespace

Type type_named(std::string_view name)
{
    for (const auto& row : rows) {
        if (row.name == name) {
            return row.type;
        }
    }
    return Type::uint16;
}

modbus::Encoding encoding_of(Type type, std::uint16_t words)
{
    const auto registers = row_of(type).registers;
    return {.type = registers,
            .words = registers == modbus::Type::text ? words : modbus::words_of(registers)};
}

void interpret(Type type, Sample& sample)
{
    if (sample.quality == Quality::good && is_absent(type, sample.raw)) {
        fail(sample, Quality::missing, Cause::sentinel);
    }
}

void apply_factor(const Sample& factor, Sample& sample)
{
    if (sample.quality != Quality::good) {
        return;
    }
    if (factor.quality == Quality::comm_error) {
        fail(sample, Quality::comm_error, factor.cause);
        return;
    }
    const auto exponent = factor.raw.as_int64();
    if (factor.quality != Quality::good || std::abs(exponent) > largest_exponent) {
        fail(sample, Quality::bad, Cause::dependency);
        return;
    }
    sample.raw = scaled(sample.raw, static_cast<int>(exponent));
}

}  // namespace gateway::sunspec
