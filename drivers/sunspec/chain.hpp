#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"

#include <cstdint>
#include <optional>
#include <vector>

/// SunSpec Device Information Model Specification 1.1: models one after the other in the holding
/// registers, each with its number and length before it.
namespace gateway::sunspec {

/// A model that a device has.
struct Model {
    std::uint16_t id = 0;
    std::uint16_t first = 0;   ///< register after its number and length
    std::uint16_t length = 0;  ///< registers from there
};

constexpr std::uint16_t marker_words = 2;  ///< "SunS", where the chain begins
constexpr std::uint16_t header_words = 2;  ///< number and length

/// Whether the two registers at a base address say that the models begin behind them.
bool is_marker(ByteView registers);

/// Follows the chain. Asks for no register twice, and ends in any case: at the end marker, at the
/// last register, or after `most_models`.
class Chain {
public:
    static constexpr std::size_t most_models = 256;

    /// `base`: where the marker was found.
    explicit Chain(std::uint16_t base) : next_(std::uint32_t{base} + marker_words) {}

    /// The next header to read; nothing at the end.
    std::optional<std::uint16_t> next_header() const;
    /// What was read there: Fault::short_frame when it is no header, malformed when the model would
    /// reach past the last register.
    Status take(ByteView registers);

    const std::vector<Model>& models() const { return models_; }

private:
    std::uint32_t next_;
    bool ended_ = false;
    std::vector<Model> models_;
};

/// The instance of a model, from 1 on; null when the device does not have it.
const Model* find(const std::vector<Model>& models, std::uint16_t id, unsigned instance);

}  // namespace gateway::sunspec
