#include "gateway/config/profile.hpp"

#include "gateway/config/profile_parts.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/core/ids.hpp"

#include <algorithm>

namespace gateway {

namespace {

void parse_header(Table& document, Profile& profile)
{
    std::string schema;
    document.need("schema", "schema = \"smartstate.profile/1\"")
        .choice(schema, {{"smartstate.profile/1", "smartstate.profile/1"}});
    document.need("profile").table([&](Table& keys) {
        keys.need("id").text(profile.id, id_format);
        keys.need("version", "version = \"1.0.0\"").text(profile.version, version_format);
        keys.need("title").text(profile.title);
        keys.need("category").text(profile.category, slug_format);
        keys.need("status", "status = \"draft\" or \"final\"")
            .choice(profile.final, {{"draft", false}, {"final", true}});
        keys["conforms"].texts(profile.conforms, conforms_format);
        keys["sources"].texts(profile.sources);
    });
    document.need("device").table([&](Table& keys) {
        keys.need("vendor").text(profile.vendor);
        keys.need("models").texts(profile.models);
        keys["hardware"].texts(profile.hardware);
        keys["firmware"].text(profile.firmware, firmware_format);
    });
    document.need("security").table([&](Table& keys) {
        Choices<std::string> zones;
        for (const auto* zone : {"local", "field-bus", "cabinet-lan", "building-lan", "internet"}) {
            zones.emplace_back(zone, zone);
        }
        keys.need("zone").choice(profile.zone, zones);
        keys.need("cleartext").flag(profile.cleartext);
        keys["require"].choice(profile.require, {{"snmpv3-authpriv", "snmpv3-authpriv"},
                                                 {"snmpv3-authnopriv", "snmpv3-authnopriv"},
                                                 {"tls", "tls"}});
    });
}

const DriverSchema* parse_transport(Table& document, Profile& profile)
{
    const DriverSchema* driver = nullptr;
    document.need("transport").table([&](Table& keys) {
        Choices<const DriverSchema*> drivers;
        for (const auto& schema : driver_schemas()) {
            drivers.emplace_back(schema.name, &schema);
        }
        keys.need("driver").choice(driver, drivers);
        if (driver == nullptr) {
            keys.accept_all();
            return;
        }
        profile.driver = driver->name;
        profile.transport = conform(keys, driver->transport);
    });
    return driver;
}

void parse_parameter(Table& table, Parameter& parameter, const Vocabulary& vocabulary)
{
    table.need("title").text(parameter.title);
    parse_unit(table["unit"], parameter.unit, vocabulary);
    table.need("range", "range = [lowest, highest]").range(parameter.low, parameter.high);
    table["required"].flag(parameter.required);
    const auto otherwise = table["default"];
    otherwise.fraction(parameter.otherwise);
    if (parameter.required == parameter.otherwise.has_value()) {
        otherwise.mistake(parameter.required ? "has no use when required = true; leave one out"
                                             : "is missing; write default, or required = true");
    } else if (parameter.otherwise && (less(*parameter.otherwise, parameter.low) ||
                                       less(parameter.high, *parameter.otherwise))) {
        otherwise.mistake("is outside the range");
    }
}

void parse_identify(Table& table, Identify& identify, const ProfileContext& context)
{
    const auto read = table.need("read");
    if (context.driver != nullptr && read) {
        identify.read = conform(read, context.driver->identify);
        if (context.driver->check_read != nullptr) {
            context.driver->check_read(identify.read, read);
        }
    }
    table["matches"].text(identify.matches, regex_format);
    table["range"].range(identify.low, identify.high);
    Choices<std::string> captures;
    for (const auto* what : {"serial", "firmware", "hardware", "make", "model"}) {
        captures.emplace_back(what, what);
    }
    table["captures"].choice(identify.captures, captures);
    table["required"].flag(identify.required);
    if (!table["matches"] && !table["range"] && !table["captures"] && !identify.required) {
        table.mistake("says nothing; write matches, range, captures or required = true");
    }
}

}  // namespace

std::size_t visible_points(const Profile& profile)
{
    return static_cast<std::size_t>(std::ranges::count(profile.points, false, &Point::hidden));
}

Profile parse_profile(std::string_view text, const std::string& file, const Vocabulary& vocabulary,
                      Mistakes& mistakes)
{
    Profile profile;
    profile.file = file;
    profile.sha256 = to_hex(sha256(text));
    const auto root = parse_toml(text, file, mistakes);
    if (!root) {
        return profile;
    }
    Table document(*root, {file, 1, 1}, {}, mistakes);
    parse_header(document, profile);
    ProfileContext context{.vocabulary = vocabulary, .profile = profile, .mistakes = mistakes};
    context.driver = parse_transport(document, profile);
    std::set<std::string> parameters;
    document["parameter"].tables([&](Table& table) {
        auto& parameter = profile.parameters.emplace_back();
        parse_id(table, parameter.id, name_format, parameters);
        parse_parameter(table, parameter, vocabulary);
    });
    document["identify"].tables(
        [&](Table& table) { parse_identify(table, profile.identify.emplace_back(), context); });
    document.need("point", "one [[point]] or more").tables([&](Table& table) {
        profile.points.push_back(parse_point(table, context));
    });
    if (context.driver != nullptr) {
        parse_device_rules(document, context);
    }
    for (const auto& check : context.later) {
        check();
    }
    parse_judgements(document, context);
    profile.points.insert(profile.points.end(), context.hidden.begin(), context.hidden.end());
    expand_rows(context);
    return profile;
}

Profile parse_profile(std::string_view text, const std::string& file, Mistakes& mistakes)
{
    return parse_profile(text, file, load_vocabulary(schemas_folder(), mistakes), mistakes);
}

}  // namespace gateway
