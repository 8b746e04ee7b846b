#include "drivers/sunspec/chain.hpp"

#include <algorithm>
#include <array>

namespace gateway::sunspec {

namespace {

constexpr std::uint32_t end_of_registers = 65'536;
constexpr std::uint16_t end_marker = 0xFFFF;

std::uint16_t word(ByteView bytes, std::size_t at)
{
    return static_cast<std::uint16_t>((bytes[at] << 8) | bytes[at + 1]);
}

}  // namespace

bool is_marker(ByteView registers)
{
    constexpr std::array<std::uint8_t, 4> marker{'S', 'u', 'n', 'S'};
    return std::ranges::equal(registers, marker);
}

std::optional<std::uint16_t> Chain::next_header() const
{
    if (ended_ || models_.size() == most_models || next_ + header_words > end_of_registers) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(next_);
}

Status Chain::take(ByteView registers)
{
    if (registers.size() != 2U * header_words) {
        return Fault::short_frame;
    }
    const Model model{.id = word(registers, 0),
                      .first = static_cast<std::uint16_t>(next_ + header_words),
                      .length = word(registers, 2)};
    if (model.id == end_marker || model.id == 0) {
        ended_ = true;
        return {};
    }
    next_ += std::uint32_t{header_words} + model.length;
    if (next_ > end_of_registers) {
        ended_ = true;
        return Fault::malformed;
    }
    models_.push_back(model);
    return {};
}

const Model* find(const std::vector<Model>& models, std::uint16_t id, unsigned instance)
{
    const auto counts = [&](const Model& model) { return model.id == id && --instance == 0; };
    const auto found = std::find_if(models.begin(), models.end(), counts);
    return found == models.end() ? nullptr : &*found;
}

}  // namespace gateway::sunspec
