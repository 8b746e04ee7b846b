#pragma once

#include "drivers/modbus/codec.hpp"
#include "drivers/modbus/registers.hpp"
#include "gateway/acquire/driver.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

namespace gateway::modbus {

/// Where one value lies in the device.
struct Location {
    Function function = Function::holding_registers;
    std::uint16_t first = 0;  ///< PDU address, from 0; for identification the object id
    std::uint16_t count = 1;  ///< registers or coils; for identification the read code
    Encoding encoding;
};

/// The value at `offset` registers or coils into the data of an answer; nothing when it is none.
std::optional<Value> value_in(const Location& location, std::uint16_t offset, ByteView data);

/// What the profile allows in one request.
struct Limits {
    std::uint16_t max_words = most_registers;
    std::uint16_t max_gap = 0;  ///< registers between two points that may be read for nothing
};

/// One due value inside a block.
struct Part {
    std::uint16_t row = 0;
    std::uint16_t offset = 0;    ///< registers or coils from the start of the block
    std::uint32_t position = 0;  ///< in the due set
};

/// One request and the values it brings, in address order.
struct Block {
    Function function = Function::holding_registers;
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    std::vector<Part> parts;
};

/// What was learnt of a device that refuses some merged requests; by row.
struct Splits {
    std::vector<bool> alone;       ///< refused even alone: keeps its neighbours out of trouble
    std::vector<bool> cut_before;  ///< refused when read together with what lies before
};

/// One request for the parts `from` up to `to` of a block.
Block part_of(const Block& block, std::span<const Location> locations, std::size_t from,
              std::size_t to);

/// The fewest requests that bring the due rows. Every row is below `locations.size()`.
std::vector<Block> plan(std::span<const Location> locations, PointSet due, const Limits& limits,
                        const Splits& splits);

/// The values of one device and the plans made for them so far, so that a repeated due set costs
/// nothing.
class Layout {
public:
    Layout(std::vector<Location> locations, Limits limits);

    std::span<const Location> locations() const { return locations_; }
    /// Valid until the next call.
    const std::vector<Block>& plan_for(PointSet due);

    /// From now on this row is read alone, until it answers.
    void isolate(std::uint16_t row);
    void answered_alone(std::uint16_t row);
    /// From now on this row is not read together with what lies before it.
    void cut_before(std::uint16_t row);

private:
    struct Known {
        std::vector<std::uint16_t> due;
        std::vector<Block> blocks;
    };

    std::vector<Location> locations_;
    Limits limits_;
    Splits splits_;
    std::list<Known> known_;  ///< the latest used first
    bool outdated_ = false;   ///< the splits changed since `known_` was made
};

}  // namespace gateway::modbus
