#include "drivers/modbus/plan.hpp"

#include <algorithm>
#include <tuple>

namespace gateway::modbus {

namespace {

constexpr std::size_t most_known_plans = 16;

std::uint32_t end_of(const Location& location)
{
    return std::uint32_t{location.first} + location.count;
}

/// Two blocks of identification are the same question when they ask with the same read code.
bool fits(const Block& block, const Location& next, const Limits& limits)
{
    if (block.function != next.function) {
        return false;
    }
    if (block.function == Function::device_identification) {
        return block.count == next.count;
    }
    const bool bits = is_bit_table(block.function);
    const std::uint32_t most =
        bits ? std::min<std::uint32_t>(16U * limits.max_words, most_coils) : limits.max_words;
    const std::uint32_t gap = bits ? 16U * limits.max_gap : limits.max_gap;
    const std::uint32_t end = std::uint32_t{block.first} + block.count;
    return next.first <= end + gap && std::max(end, end_of(next)) - block.first <= most;
}

void append(Block& block, const Location& next, Part part)
{
    if (block.function == Function::device_identification) {
        part.offset = next.first;
        block.first = std::min(block.first, next.first);
    } else {
        part.offset = static_cast<std::uint16_t>(next.first - block.first);
        const auto end = std::max<std::uint32_t>(block.first + block.count, end_of(next));
        block.count = static_cast<std::uint16_t>(end - block.first);
    }
    block.parts.push_back(part);
}

Block begin(const Location& location, const Part& part)
{
    Block block{.function = location.function,
                .first = location.first,
                .count = location.count,
                .parts = {}};
    append(block, location, part);
    return block;
}

}  // namespace

std::optional<Value> value_in(const Location& location, std::uint16_t offset, ByteView data)
{
    const bool bits = is_bit_table(location.function);
    const std::size_t first = bits ? offset / 8U : 2U * offset;
    const std::size_t size = bits ? 1 : 2U * location.encoding.words;
    if (first + size > data.size()) {
        return std::nullopt;
    }
    if (bits) {
        return Value::integer((data[first] >> (offset % 8U)) & 1);
    }
    return decode(location.encoding, data.subspan(first, size));
}

Block part_of(const Block& block, std::span<const Location> locations, std::size_t from,
              std::size_t to)
{
    auto part = begin(locations[block.parts[from].row], block.parts[from]);
    for (auto i = from + 1; i < to; ++i) {
        append(part, locations[block.parts[i].row], block.parts[i]);
    }
    return part;
}

std::vector<Block> plan(std::span<const Location> locations, PointSet due, const Limits& limits,
                        const Splits& splits)
{
    std::vector<Part> parts;
    parts.reserve(due.size());
    for (std::uint32_t position = 0; position < due.size(); ++position) {
        parts.push_back({.row = due[position], .offset = 0, .position = position});
    }
    const auto by_address = [&](const Part& a, const Part& b) {
        const auto& x = locations[a.row];
        const auto& y = locations[b.row];
        return std::tie(x.function, x.first, x.count, a.row) <
               std::tie(y.function, y.first, y.count, b.row);
    };
    std::sort(parts.begin(), parts.end(), by_address);
    std::vector<Block> blocks;
    bool closed = true;
    for (const auto& part : parts) {
        const auto& location = locations[part.row];
        const bool alone = splits.alone[part.row];
        if (closed || alone || splits.cut_before[part.row] ||
            !fits(blocks.back(), location, limits)) {
            blocks.push_back(begin(location, part));
        } else {
            append(blocks.back(), location, part);
        }
        closed = alone;
    }
    return blocks;
}

Layout::Layout(std::vector<Location> locations, Limits limits)
    : locations_(std::move(locations)), limits_(limits)
{
    splits_.alone.resize(locations_.size());
    splits_.cut_before.resize(locations_.size());
}

const std::vector<Block>& Layout::plan_for(PointSet due)
{
    if (outdated_) {
        known_.clear();
        outdated_ = false;
    }
    const auto same = [due](const Known& known) { return std::ranges::equal(known.due, due); };
    const auto found = std::find_if(known_.begin(), known_.end(), same);
    if (found != known_.end()) {
        known_.splice(known_.begin(), known_, found);
        return known_.front().blocks;
    }
    if (known_.size() == most_known_plans) {
        known_.pop_back();
    }
    known_.push_front(
        {.due = {due.begin(), due.end()}, .blocks = plan(locations_, due, limits_, splits_)});
    return known_.front().blocks;
}

void Layout::isolate(std::uint16_t row)
{
    outdated_ = outdated_ || !splits_.alone[row];
    splits_.alone[row] = true;
}

void Layout::answered_alone(std::uint16_t row)
{
    outdated_ = outdated_ || splits_.alone[row];
    splits_.alone[row] = false;
}

void Layout::cut_before(std::uint16_t row)
{
    outdated_ = outdated_ || !splits_.cut_before[row];
    splits_.cut_before[row] = true;
}

}  // namespace gateway::modbus
