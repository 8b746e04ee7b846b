#pragma once

#include "gateway/config/reader.hpp"
#include "gateway/core/fraction.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace simulator {

using Random = std::minstd_rand;

/// How the value of one point moves over time. In the point's unit, before it becomes a raw number.
class Model {
public:
    enum class Kind : std::uint8_t {
        constant,
        ramp,      ///< start + rate * seconds
        sine,      ///< mean + amplitude * sin(2 pi seconds / period)
        walk,      ///< a step of at most `step` up or down at each read, within low and high
        counter,   ///< start + the integral of rate per hour, or of another point's value
        cycle,     ///< the values in turn, each for `every`
        schedule,  ///< each value from its time on
        reads,     ///< how often this point was read, this read included
        text,
        words,  ///< registers as they are
    };

    Model() = default;
    static Model of(gateway::Fraction constant);
    /// From a scene: a number, a text, or a table with `model`.
    static Model parse(const gateway::Field& field);

    Kind kind() const { return kind_; }
    const gateway::Fraction& constant() const { return constant_; }
    const std::string& text() const { return text_; }
    const std::vector<std::uint16_t>& words() const { return words_; }
    /// The point whose value a counter sums up; empty: a rate of its own.
    const std::string& source() const { return source_; }

    /// The value now; `rate` is the source's value, per hour.
    double next(double seconds, double rate, Random& random);

private:
    void parse_table(gateway::Table& table);

    Kind kind_ = Kind::constant;
    gateway::Fraction constant_;
    std::string text_, source_;
    double start_ = 0;  ///< start or mean; then the last value of a walk or counter
    double rate_ = 0;   ///< per second; amplitude; step; per hour
    double low_ = 0, high_ = 0;
    double period_ = 60;
    double last_seconds_ = 0, last_rate_ = 0;
    std::uint64_t reads_ = 0;
    std::vector<std::pair<double, double>> steps_;  ///< time and value
    std::vector<std::uint16_t> words_;
};

}  // namespace simulator
