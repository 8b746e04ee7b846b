#include "gateway/config/binding.hpp"

#include "gateway/config/driver_schema.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/version.hpp"

#include <algorithm>
#include <filesystem>

namespace gateway {

namespace {

constexpr std::string_view suffix = ".profile.toml";

std::vector<std::string> files_in(const std::string& folder, Mistakes& mistakes)
{
    std::vector<std::string> files;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        if (at->path().native().ends_with(suffix)) {
            files.push_back(at->path().native());
        }
    }
    if (error) {
        mistakes.add({folder}, {}, "cannot be read: " + error.message());
    }
    std::ranges::sort(files);
    return files;
}

ProfileSet load_folder(const std::string& folder, const Vocabulary& vocabulary, Mistakes& mistakes)
{
    ProfileSet profiles;
    for (const auto& file : files_in(folder, mistakes)) {
        const auto text = read_file(file, longest_document);
        if (!text) {
            mistakes.add({file}, {}, "cannot be read: " + text.error().message());
            continue;
        }
        Mistakes own;
        auto profile = parse_profile(*text, file, vocabulary, own);
        if (!own.empty()) {
            mistakes.add(own);
            continue;
        }
        auto& place = profiles[profile.id];
        const auto order = place ? compare_versions(profile.version, place->version)
                                 : std::strong_ordering::greater;
        if (std::is_eq(order)) {
            mistakes.add({file}, "profile.version",
                         profile.id + ' ' + profile.version + " is already in " + place->file);
        } else if (std::is_gt(order)) {
            place = std::make_shared<const Profile>(std::move(profile));
        }
    }
    return profiles;
}

/// The device's parameters, checked and filled in.
class Parameters {
public:
    Parameters(const Profile& profile, const SiteDevice& site, std::string path, Mistakes& mistakes)
        : profile_(profile), site_(site), path_(std::move(path)), mistakes_(mistakes)
    {
    }

    std::map<std::string, Fraction> resolve()
    {
        std::map<std::string, Fraction> values;
        std::vector<std::string_view> names;
        for (const auto& parameter : profile_.parameters) {
            names.push_back(parameter.id);
            const auto given = site_.set.find(parameter.id);
            if (given != site_.set.end()) {
                check_range(parameter, given->second);
                values[parameter.id] = given->second;
            } else if (parameter.otherwise) {
                values[parameter.id] = *parameter.otherwise;
            } else {
                mistakes_.add(site_.place, path_ + ".set",
                              parameter.id + " (" + parameter.title +
                                  ") is missing; write set = { " + parameter.id + " = … }");
            }
        }
        check_known(names);
        return values;
    }

private:
    void check_range(const Parameter& parameter, const Fraction& value)
    {
        if (less(value, parameter.low) || less(parameter.high, value)) {
            add(parameter.id, value.text() + " is out of range; write one from " +
                                  parameter.low.text() + " to " + parameter.high.text());
        }
    }
    void check_known(const std::vector<std::string_view>& names)
    {
        for (const auto& [id, value] : site_.set) {
            if (std::ranges::find(names, id) == names.end()) {
                const auto near = nearest(id, names);
                add(id, near.empty() ? "the profile has no such parameter; leave it out"
                                     : "the profile has no such parameter; write \"" +
                                           std::string(near) + '"');
            }
        }
    }
    void add(const std::string& id, const std::string& what)
    {
        const auto place = site_.set_places.find(id);
        mistakes_.add(place == site_.set_places.end() ? site_.place : place->second,
                      path_ + ".set." + id, what);
    }

    const Profile& profile_;
    const SiteDevice& site_;
    std::string path_;
    Mistakes& mistakes_;
};

std::optional<Fraction> resolve(const Factor& factor,
                                const std::map<std::string, Fraction>& parameters)
{
    if (factor.parameter.empty()) {
        return factor.times;
    }
    const auto parameter = parameters.find(factor.parameter);
    return parameter == parameters.end() ? Fraction(0) : parameter->second.times(factor.times);
}

/// By profile and parameters.
using KnownFactors = std::map<std::string, std::shared_ptr<const Factors>>;

std::shared_ptr<const Factors> resolve_factors(const DeviceConfig& device, KnownFactors& known,
                                               const std::string& path, Mistakes& mistakes)
{
    auto key = device.profile->id;
    for (const auto& [id, value] : device.parameters) {
        key += ' ' + id + '=' + value.text();
    }
    auto& factors = known[key];
    if (factors) {
        return factors;
    }
    auto resolved = std::make_shared<Factors>();
    bool exact = true;
    resolved->scale.reserve(device.profile->points.size());
    resolved->offset.reserve(device.profile->points.size());
    for (const auto& point : device.profile->points) {
        const auto scale = resolve(point.scale, device.parameters);
        const auto offset = resolve(point.offset, device.parameters);
        if (!scale || !offset) {
            exact = false;
            mistakes.add(device.site.place, path + ".set",
                         "the scale of " + point.id +
                             " cannot be held exactly with these parameters; write fewer digits");
        }
        resolved->scale.push_back(scale.value_or(Fraction(1)));
        resolved->offset.push_back(offset.value_or(Fraction(0)));
    }
    if (exact) {  // else the next device has the same mistakes
        factors = resolved;
    }
    return resolved;
}

/// A weaker protocol than the profile requires needs an exception that names who allowed it.
void check_security(const DeviceConfig& device, const Field& connect)
{
    const auto& required = device.profile->require;
    const auto& given = device.site.connect;
    const auto weak_snmp = [&given](bool with_privacy) {
        return get<std::string>(given, "version", "3") != "3" || !given.contains("auth") ||
               (with_privacy && !given.contains("privacy"));
    };
    const auto is_tls = [&given] {
        return get<std::string>(given, "url", {}).starts_with("https://") ||
               get<std::string>(given, "broker", {}).starts_with("mqtts://");
    };
    const bool weak = (required == "snmpv3-authpriv" && weak_snmp(true)) ||
                      (required == "snmpv3-authnopriv" && weak_snmp(false)) ||
                      (required == "tls" && !is_tls());
    if (weak && device.site.exception_why.empty()) {
        connect.mistake("is weaker than the profile requires (" + required +
                        "); write exception = { why = \"…\", by = \"…\", until = 2027-01-31 }");
    }
}

void conform_connect(DeviceConfig& device, const std::string& path, Mistakes& mistakes)
{
    const auto* driver = driver_schema(device.profile->driver);
    const Setting given{.value = device.site.connect, .place = device.site.connect_place};
    Mistakes own;
    const Field field(&given, given.place, path + ".connect", own);
    device.site.connect = conform(field, driver->connect);
    if (own.empty() && driver->check_connect != nullptr) {
        driver->check_connect(device.profile->transport, device.site.connect, field);
    }
    if (own.empty()) {
        check_security(device, field);
    }
    mistakes.add(own);
}

std::shared_ptr<const Profile> find_profile(const SiteDevice& device, const ProfileSet& profiles,
                                            const std::string& path, Mistakes& mistakes)
{
    const auto found = profiles.find(device.profile_id);
    if (found != profiles.end()) {
        return found->second;
    }
    std::vector<std::string_view> names;
    for (const auto& [id, profile] : profiles) {
        names.push_back(id);
    }
    const auto near = nearest(device.profile_id, names);
    mistakes.add(device.profile_place, path + ".profile",
                 "there is no usable profile \"" + device.profile_id + '"' +
                     (near.empty() ? "; put its file into the folder of [profiles]"
                                   : "; the nearest is \"" + std::string(near) + '"'));
    return nullptr;
}

}  // namespace

std::string_view to_string(IdentityVerdict verdict)
{
    switch (verdict) {
        case IdentityVerdict::claimed:
            return "claimed";
        case IdentityVerdict::verified:
            return "verified";
        case IdentityVerdict::mismatch:
            return "mismatch";
        case IdentityVerdict::firmware_outside:
            return "firmware-outside";
    }
    return "claimed";
}

std::string_view to_string(ContractVerdict verdict)
{
    switch (verdict) {
        case ContractVerdict::in_contract:
            return "in-contract";
        case ContractVerdict::off_contract:
            return "off-contract";
        case ContractVerdict::recalled:
            return "recalled";
        case ContractVerdict::unsigned_profile:
            return "unsigned";
    }
    return "unsigned";
}

ProfileSet load_profiles(const std::vector<std::string>& folders, Mistakes& mistakes)
{
    const auto vocabulary = load_vocabulary(schemas_folder(), mistakes);
    ProfileSet profiles;
    for (const auto& folder : folders) {
        for (auto& [id, profile] : load_folder(folder, vocabulary, mistakes)) {
            const auto [place, added] = profiles.emplace(id, profile);
            if (!added) {
                mistakes.add({profile->file}, "profile.id",
                             '"' + id + "\" is the id of " + place->second->file +
                                 ", which holds; give this profile its own id");
            }
        }
    }
    return profiles;
}

std::vector<DeviceConfig> bind(const Site& site, const ProfileSet& profiles, Mistakes& mistakes)
{
    std::vector<DeviceConfig> devices;
    devices.reserve(site.devices.size());
    KnownFactors known_factors;
    for (const auto& listed : site.devices) {
        const auto path = "device[" + std::to_string(&listed - site.devices.data() + 1) + ']';
        DeviceConfig device{.site = listed,
                            .profile = find_profile(listed, profiles, path, mistakes)};
        if (!device.profile) {
            continue;
        }
        if (site.trust == Trust::state) {
            // No catalogue is read yet, so no profile is in one.
            mistakes.add(listed.profile_place, path + ".profile",
                         "profile " + listed.profile_id +
                             " is not in a signed catalogue; write trust = \"local\" under "
                             "[profiles] to use it unsigned");
        }
        device.parameters = Parameters(*device.profile, listed, path, mistakes).resolve();
        device.factors = resolve_factors(device, known_factors, path, mistakes);
        conform_connect(device, path, mistakes);
        devices.push_back(std::move(device));
    }
    return devices;
}

}  // namespace gateway
