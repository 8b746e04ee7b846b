#pragma once

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/plan.hpp"
#include "drivers/sunspec/chain.hpp"
#include "drivers/sunspec/value.hpp"
#include "gateway/config/profile.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gateway::sunspec {

/// Part of a model that repeats to its end.
struct Group {
    std::uint16_t first = 0;   ///< where the first one begins in the model
    std::uint16_t size = 0;    ///< registers of each
    std::uint16_t repeat = 1;  ///< which one, from 1 on
};

/// Where a point lies, as the profile says it: in a model, wherever the device has that.
struct Wanted {
    std::uint16_t model = 1;
    unsigned instance = 1;
    std::optional<Group> group;
    std::uint16_t offset = 0;  ///< from the model's, or its group's, first register
    std::uint16_t words = 1;
    Type type = Type::uint16;
    std::optional<std::uint16_t> factor;  ///< its scale factor, from the model's first register
    std::optional<std::uint16_t> group_factor;  ///< or from the group's
};

/// What a profile says about a model of devices.
struct Map {
    std::vector<std::uint16_t> bases;  ///< where to look for the chain, in this order
    std::vector<Wanted> points;        ///< by row
    std::vector<Wanted> identity;      ///< by `[[identify]]`
    modbus::Limits limits;
    modbus::Settings settings;
};

/// Converts what the closed schema has checked.
Map read_map(const Profile& profile);

/// Where the values of one device lie, found by its chain.
struct Layout {
    std::vector<modbus::Location> locations;  ///< the values that are there, then the scale factors
    std::vector<std::optional<std::uint16_t>> value;   ///< by row: into `locations`
    std::vector<std::optional<std::uint16_t>> factor;  ///< by row
};

/// Models that hold what is wanted and no more, apart from each other, in place of a device's own.
std::vector<Model> smallest_models(const std::vector<Wanted>& wanted);

Layout locate(const std::vector<Wanted>& wanted, const std::vector<Model>& models);

/// What to ask for so that the due rows are known, instead of what is in `asked`: ascending, into
/// `locations`.
void ask_for(const Layout& layout, PointSet due, std::vector<std::uint16_t>& asked);

/// The samples of the due rows from those of the rows that were asked for, instead of what is in
/// `samples`. A point that the device does not have is missing.
void take(const Layout& layout, const std::vector<Wanted>& wanted, PointSet due,
          const std::vector<std::uint16_t>& asked, const Samples& answers, Samples& samples);

}  // namespace gateway::sunspec
