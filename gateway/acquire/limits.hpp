#pragma once

#include "gateway/core/fraction.hpp"
#include "gateway/core/value.hpp"

#include <cstdint>
#include <limits>
#include <optional>

namespace gateway {

/// Where a raw value lies against limits that were given in the point's unit.
enum class Side : std::uint8_t { below, inside, above };

/// A low and a high limit in the point's unit, brought into the raw domain once and exactly, so
/// that judging a value costs two compares. A float counts as its shortest decimal, as it does for
/// the people who read it.
class Limits {
public:
    Limits(const std::optional<Fraction>& low, const std::optional<Fraction>& high,
           const Fraction& scale, const Fraction& offset);

    /// For a number that is not NaN; anything else is inside.
    Side side_of(const Value& raw) const
    {
        switch (raw.kind()) {
            case Kind::int32:
            case Kind::int64:
                return at(raw.as_int64(), low_integer_, high_integer_);
            case Kind::float32:
                return at(raw.as_float32(), low_float_, high_float_);
            case Kind::float64:
                return at(raw.as_float64(), low_double_, high_double_);
            case Kind::uint64:
                return at(raw.bits(), low_unsigned_, high_unsigned_);
            case Kind::none:
            case Kind::text:
                break;
        }
        return Side::inside;
    }

private:
    template <typename Number>
    Side at(Number number, Number low, Number high) const
    {
        if (number < low) {
            return flipped_ ? Side::above : Side::below;
        }
        if (number > high) {
            return flipped_ ? Side::below : Side::above;
        }
        return Side::inside;
    }
    template <typename Number>
    using Of = std::numeric_limits<Number>;

    std::int64_t low_integer_ = Of<std::int64_t>::min(), high_integer_ = Of<std::int64_t>::max();
    std::uint64_t low_unsigned_ = 0, high_unsigned_ = Of<std::uint64_t>::max();
    double low_double_ = -Of<double>::infinity(), high_double_ = Of<double>::infinity();
    float low_float_ = -Of<float>::infinity(), high_float_ = Of<float>::infinity();
    bool flipped_ = false;  // a negative scale turns the limits round
};

}  // namespace gateway
