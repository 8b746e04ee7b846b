#pragma once

#include "gateway/config/site.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

enum class IdentityVerdict : std::uint8_t { claimed, verified, mismatch, firmware_outside };
enum class ContractVerdict : std::uint8_t { in_contract, off_contract, recalled, unsigned_profile };

std::string_view to_string(
    IdentityVerdict verdict);  ///< "claimed", "verified", "mismatch", "firmware-outside"
std::string_view to_string(
    ContractVerdict verdict);  ///< "in-contract", "off-contract", "recalled", "unsigned"

/// What a device said of itself, and what follows from it.
struct Identified {
    IdentityVerdict verdict = IdentityVerdict::claimed;
    std::string serial, firmware;
};

/// What turns raw numbers into those that people see, by row, parameters resolved.
struct Factors {
    std::vector<Fraction> scale, offset;
};

/// A device of the site bound to its profile: everything that is needed to read it, checked.
struct DeviceConfig {
    SiteDevice site;
    std::shared_ptr<const Profile> profile;      ///< shared by the devices of one model
    std::map<std::string, Fraction> parameters;  ///< all of the profile's, defaults filled in
    std::shared_ptr<const Factors> factors;      ///< shared by those that have the same ones
    ContractVerdict contract = ContractVerdict::unsigned_profile;
    std::uint16_t index = 0;  ///< of the alias; given by the application, 1 and up
};

/// The profiles in a folder (`*.profile.toml`), by id; the newest version of each. A broken file is
/// a mistake and left out.
using ProfileSet = std::map<std::string, std::shared_ptr<const Profile>, std::less<>>;
ProfileSet load_profiles(const std::vector<std::string>& folders, Mistakes& mistakes);

/// Binds every device of the site; mistakes name the key in the site file. `index` stays 0. Call it
/// qualified: std::bind is found too.
std::vector<DeviceConfig> bind(const Site& site, const ProfileSet& profiles, Mistakes& mistakes);

/// The dictionary of one device (protocol.md, section 3), exact bytes.
std::string dictionary_json(const Site& site, const DeviceConfig& device,
                            const Identified& identified);

}  // namespace gateway
