#include "gateway/acquire/told_number.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

std::optional<Fraction> fraction_of(const Value& value)
{
    const auto decimal = apply(value, Fraction(1), Fraction(0));
    return decimal ? Fraction::parse(decimal->text) : std::nullopt;
}

std::optional<Fraction> power_of_ten(const Value& exponent)
{
    const auto whole = exponent.is_integer() && exponent.kind() != Kind::uint64;
    const auto number = whole ? exponent.as_int64() : 99;
    return number < -18 || number > 18 ? std::nullopt
                                       : Fraction::parse("1e" + std::to_string(number));
}

template <typename T>
const T* find_code(const std::vector<std::pair<Value, T>>& codes, const Value& raw)
{
    const auto same = [&raw](const auto& known) { return is_same_number(raw, known.first); };
    const auto found = std::find_if(codes.begin(), codes.end(), same);
    return found == codes.end() ? nullptr : &found->second;
}

std::optional<Fraction> factor_of(const ScaleFrom& from, const Value& told)
{
    std::optional<Fraction> factor;
    if (from.power_of_ten) {
        factor = power_of_ten(told);
    } else if (from.codes.empty()) {
        factor = fraction_of(told);
    } else if (const auto* code = find_code(from.codes, told)) {
        factor = *code;
    }
    const bool usable = factor && factor->numerator() != 0;
    return usable ? factor->times(from.times) : std::nullopt;
}

/// A whole number where it is one.
Value value_of(const Decimal& decimal)
{
    const auto& text = decimal.text;
    const auto* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto parsed = std::from_chars(text.data(), end, whole);
        parsed.ec == std::errc() && parsed.ptr == end) {
        return Value::integer(whole);
    }
    std::uint64_t large = 0;
    if (const auto parsed = std::from_chars(text.data(), end, large);
        parsed.ec == std::errc() && parsed.ptr == end) {
        return Value::unsigned_integer(large);
    }
    return Value::float64(decimal.number);
}

}  // namespace

bool is_same_number(const Value& raw, const Value& written)
{
    if (raw == written) {
        return true;
    }
    if (raw.is_text() || written.is_text()) {
        return false;
    }
    if (raw.kind() == Kind::float32) {
        return raw.as_float32() == static_cast<float>(written.approximate());
    }
    return (raw.kind() == Kind::float64 || !written.is_integer()) &&
           raw.approximate() == written.approximate();
}

ToldNumber::ToldNumber(const Point& point, const Fraction& scale, const Fraction& offset)
    : unit_from_(point.unit_from), scale_from_(point.scale_from), scale_(scale), offset_(offset)
{
}

/// The device means (raw * factor * scale + offset) in its unit; what is stored times scale plus
/// offset must be the same in the point's unit.
std::optional<Conversion> ToldNumber::conversion(const Value* unit, const Value* factor) const
{
    Conversion result;
    if (scale_from_) {
        const auto told = factor == nullptr ? std::nullopt : factor_of(*scale_from_, *factor);
        if (!told) {
            return std::nullopt;
        }
        result.times = *told;
    }
    if (!unit_from_) {
        return result;
    }
    const auto* known = unit == nullptr ? nullptr : find_code(unit_from_->codes, *unit);
    const auto times = known == nullptr ? std::nullopt : result.times.times(known->times);
    if (!times) {
        return std::nullopt;
    }
    result.times = *times;
    const auto shifted = offset_.times(known->times);
    const auto minus = offset_.times(Fraction(-1));
    const auto apart = shifted && minus ? shifted->plus(*minus) : std::nullopt;
    const auto plus = apart ? apart->plus(known->plus) : std::nullopt;
    const auto inverse = Fraction::of(scale_.denominator(), scale_.numerator());
    const auto steps = plus && inverse ? plus->times(*inverse) : std::nullopt;
    if (!steps) {
        return std::nullopt;
    }
    result.plus = *steps;
    return result;
}

std::optional<Value> ToldNumber::bring(const Value& raw, const Value* unit,
                                       const Value* factor) const
{
    const auto how = conversion(unit, factor);
    if (!how || raw.is_text()) {
        return std::nullopt;
    }
    const bool as_it_is = how->times == Fraction(1) && how->plus == Fraction(0);
    const auto decimal = as_it_is ? std::nullopt : apply(raw, how->times, how->plus);
    return decimal ? value_of(*decimal) : raw;  // what is no number stays none
}

double ToldNumber::step(const Value* unit, const Value* factor) const
{
    const auto how = conversion(unit, factor);
    return how ? how->times.approximate() : 1;
}

}  // namespace gateway
