#pragma once

#include "gateway/config/profile.hpp"

#include <optional>

namespace gateway {

/// A raw value as the profile writes it, whatever kind the device gives it in.
bool is_same_number(const Value& raw, const Value& written);

/// Brings numbers whose unit or factor the device tells to the fixed exponent and unit of their
/// point, exactly where a decimal can say it, so that the dictionary depends on configuration only.
class ToldNumber {
public:
    /// `scale` and `offset` are those of the dictionary.
    ToldNumber(const Point& point, const Fraction& scale, const Fraction& offset);

    /// `unit` and `factor`: what the other values say; null where the point does not ask. Nothing
    /// when what they say is not known to the profile.
    std::optional<Value> bring(const Value& raw, const Value* unit, const Value* factor) const;

    /// What one raw step of the device is worth now, in raw steps of the dictionary; 1 when that is
    /// not known.
    double step(const Value* unit, const Value* factor) const;

private:
    std::optional<Conversion> conversion(const Value* unit, const Value* factor) const;

    std::optional<UnitFrom> unit_from_;
    std::optional<ScaleFrom> scale_from_;
    Fraction scale_, offset_;
};

}  // namespace gateway
