#pragma once

#include "gateway/config/driver_schema.hpp"
#include "gateway/config/profile.hpp"
#include "gateway/config/reader.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gateway {

/// What the parts of `parse_profile` share.
struct ProfileContext {
    const DriverSchema* driver = nullptr;  ///< null: the profile names one that does not exist
    const Vocabulary& vocabulary;
    Profile& profile;
    Mistakes& mistakes;
    std::set<std::string> point_ids{};
    std::vector<Point> hidden{};                      ///< join the points once all are known
    std::map<std::string, Each, std::less<>> each{};  ///< of the points that have rows, by id
    std::vector<std::function<void()>> later{};       ///< what needs to know all points
};

/// One `[[point]]`.
Point parse_point(Table& table, ProfileContext& context);
/// A point's `read`, and the kind of value it brings.
void parse_read(const Field& field, Point& point, const ProfileContext& context);
/// `unit_from`, `scale_from`, `status` and `fallback` of a point: what other values say of it.
void parse_told(Table& table, Point& point, ProfileContext& context);
/// A status rule of these points; empty: of all.
void parse_status(Table& keys, const Point& owner, std::vector<std::string> points,
                  ProfileContext& context);
/// A value that is read for the sake of others, under the owner's id; it has the owner's rows.
std::string add_hidden(const Field& read, const std::string& name, const Point& owner,
                       ProfileContext& context);
/// The point of this id, hidden ones too; null when there is none.
const Point* parsed_point(const ProfileContext& context, const std::string& id);
/// `[[status]]`, `[[age]]` and `[wake]`.
void parse_device_rules(Table& document, ProfileContext& context);
/// Where another value of the device is: `point`, or a `read` of its own. Returns its id; empty
/// after a mistake. `name` and `owner` make the id of a hidden point.
std::string parse_source(Table& keys, const std::string& name, const Point& owner,
                         ProfileContext& context);
/// `each` of a point whose `read` is parsed.
void parse_each(const Field& field, const Field& read, const Point& point, ProfileContext& context);
/// Makes every point with `each` the points that it stands for, with all that refers to them.
void expand_rows(ProfileContext& context);

/// The point that a text such as "frequency" or "air_temperature[1]" names, before rows are
/// expanded; null is a mistake.
const Point* refer(const Field& field, const std::string& reference, const ProfileContext& context);
/// The value that a key of a code table stands for: a whole number, the name of one, or a text.
std::optional<Value> code_of(const std::string& key, const Point& point);
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
