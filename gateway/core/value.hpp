#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace gateway {

/// What a value is; the numbers are those on the wire (protocol.md, section 2).
enum class Kind : std::uint8_t { none, int32, int64, uint64, float32, float64, text };

/// A raw value as a device gave it: exact, before scale and offset. The kind is canonical: an
/// integer has the smallest kind that holds it, so equal integers are equal values.
class Value {
public:
    Value() = default;
    Value(const Value& other)
        : kind_(other.kind_), bits_(other.bits_), text_(other.text_ ? other.text_copy() : nullptr)
    {
    }
    Value& operator=(const Value& other) { return *this = Value(other); }
    Value(Value&&) noexcept = default;
    Value& operator=(Value&&) noexcept = default;
    ~Value() = default;

    static Value integer(std::int64_t number)
    {
        const bool narrow = number >= std::numeric_limits<std::int32_t>::min() &&
                            number <= std::numeric_limits<std::int32_t>::max();
        return {narrow ? Kind::int32 : Kind::int64, static_cast<std::uint64_t>(number)};
    }
    static Value unsigned_integer(std::uint64_t number)
    {
        return std::in_range<std::int64_t>(number) ? integer(static_cast<std::int64_t>(number))
                                                   : Value(Kind::uint64, number);
    }
    static Value float32(float number)
    {
        return {Kind::float32, std::bit_cast<std::uint32_t>(number)};
    }
    static Value float64(double number)
    {
        return {Kind::float64, std::bit_cast<std::uint64_t>(number)};
    }
    static Value of_text(std::string text);
    /// From the wire; `bits` as protocol.md, section 6 gives them for mix. Not for text.
    static Value from_bits(Kind kind, std::uint64_t bits) { return {kind, bits}; }

    Kind kind() const { return kind_; }
    bool is_none() const { return kind_ == Kind::none; }
    bool is_integer() const
    {
        return kind_ == Kind::int32 || kind_ == Kind::int64 || kind_ == Kind::uint64;
    }
    bool is_text() const { return kind_ == Kind::text; }

    /// Integers: two's complement, sign-extended; floats: their bit pattern; text and none: 0.
    std::uint64_t bits() const { return bits_; }
    /// Empty for anything else.
    const std::string& text() const { return text_ ? *text_ : no_text; }
    std::int64_t as_int64() const { return static_cast<std::int64_t>(bits_); }
    float as_float32() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits_)); }
    double as_float64() const { return std::bit_cast<double>(bits_); }
    /// The number, rounded to the nearest double; NaN when it is not a number.
    double approximate() const
    {
        switch (kind_) {
            case Kind::int32:
            case Kind::int64:
                return static_cast<double>(as_int64());
            case Kind::uint64:
                return static_cast<double>(bits_);
            case Kind::float32:
                return static_cast<double>(as_float32());
            case Kind::float64:
                return as_float64();
            case Kind::none:
            case Kind::text:
                break;
        }
        return std::numeric_limits<double>::quiet_NaN();
    }

    friend bool operator==(const Value& left, const Value& right)
    {
        return left.kind_ == right.kind_ && left.bits_ == right.bits_ &&
               (!left.is_text() || left.text() == right.text());
    }

private:
    Value(Kind kind, std::uint64_t bits) : kind_(kind), bits_(bits) {}

    static const inline std::string no_text;
    std::unique_ptr<const std::string> text_copy() const;

    Kind kind_ = Kind::none;
    std::uint64_t bits_ = 0;
    std::unique_ptr<const std::string> text_;  // few values are text: the others have no room
};

}  // namespace gateway
