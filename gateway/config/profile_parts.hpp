#pragma once

#include "gateway/config/driver_schema.hpp"
#include "gateway/config/profile.hpp"
#include "gateway/config/reader.hpp"

#include <set>
#include <string>

namespace gateway {

/// A `good_if`, kept until all points are known.
struct GoodIfFields {
    Field point, in;
    GoodIf good_if;
};

/// What the parts of `parse_profile` share.
struct ProfileContext {
    const DriverSchema* driver = nullptr;  ///< null: the profile names one that does not exist
    const Vocabulary& vocabulary;
    Profile& profile;
    std::set<std::string> point_ids{};
    std::vector<GoodIfFields> good_ifs{};
};

/// One `[[point]]`.
Point parse_point(Table& table, ProfileContext& context);
/// Once all points are known.
void check_good_ifs(const std::vector<GoodIfFields>& fields, const Profile& profile);

/// The point that a text such as "frequency" or "air_temperature[1]" names; null is a mistake.
const Point* refer(const Field& field, const std::string& reference, const Profile& profile);
/// The names are members of the point's `enum`.
void check_names(const Field& field, const std::vector<std::string>& names, const Point& point);
/// A unit that exists; `dimension` helps to say what to write.
void parse_unit(const Field& field, std::string& unit, const Vocabulary& vocabulary,
                std::string_view dimension = {});
/// "write a unit of power: "W", "kW""
std::string units_of(std::string_view dimension, const Vocabulary& vocabulary);
/// An id of its own among `taken`.
void parse_id(Table& table, std::string& id, const Format& format, std::set<std::string>& taken);

/// Raw sentinels of a point of this kind; "nan" sets `nan`.
void parse_missing(const Field& field, const std::string& kind, std::vector<Value>& missing,
                   bool& nan);

/// `[[check]]`, `[[quirk]]`, `[[alarm]]`, `[[acceptance]]` and `[[example]]`: what judges the
/// points.
void parse_judgements(Table& document, const ProfileContext& context);

}  // namespace gateway
