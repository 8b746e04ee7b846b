#pragma once

#include "gateway/config/binding.hpp"
#include "gateway/core/json.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/outbox.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// A device as the birth lists it.
struct BirthDevice {
    std::uint16_t index = 0;
    std::string id, name;
    DictionaryHash dictionary = 0;
    std::string profile;  ///< id@version
    std::string profile_sha256;
    IdentityVerdict identity = IdentityVerdict::claimed;
    ContractVerdict contract = ContractVerdict::unsigned_profile;
    bool enabled = true;
    std::optional<WallTime> maintenance_until;
    std::optional<std::string> first_receipt;
};

/// What the application knows of the box at this moment.
struct BirthInput {
    std::string name, software, os;
    std::optional<Location> location;
    BootId boot;
    Duration uptime{};
    std::optional<WallTime> started, first_start;
    ClockReading clock;
    std::optional<std::uint64_t> catalogue_serial;
    Trust trust = Trust::local;
    std::optional<int> certificate_days_left;
    std::string configuration_hash;
    std::string configuration_source = "current";  ///< or "last-good"
    std::optional<std::string> configuration_problem;
    std::vector<std::string> advice;
    std::vector<BirthDevice> devices;
    json::object flash, value;  ///< as they are told; empty: nothing is
};

/// What the uplink adds.
struct BirthSession {
    std::string org, box, session, receiver;
    Release release = Release::receipt;
    EpochId epoch;
    StoreUse disk;
    std::vector<EpochState> epochs;
    std::optional<std::string> first_receipt;
};

/// The birth of protocol.md, section 6.
std::string birth_json(const BirthInput& box, const BirthSession& session);

/// "online" or "offline"; the latter is also the will.
std::string state_json(const std::string& box, const std::string& session, std::string_view state);

}  // namespace gateway
