#pragma once

#include "gateway/receiver/reception.hpp"

#include <stdexcept>
#include <string>

namespace gateway {

/// A file of the command line that does not say what it must.
class BadConfiguration : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Which box belongs to which org: a file of lines BOX = ORG. Throws BadConfiguration.
Roster read_roster(const std::string& path);

/// mosquitto's access list: each box writes and hears its own topics of its own org, and `receiver`
/// (the name in its certificate) hears all of those orgs and answers. Nobody else may do anything.
std::string access_list(const Roster& roster, const std::string& receiver);

}  // namespace gateway
