#pragma once

#include "gateway/config/profile.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

struct Location {
    double lat = 0;  ///< degrees north, WGS 84
    double lon = 0;  ///< degrees east
};

enum class Policy : std::uint8_t { drop_oldest, drop_newest, thin };
enum class Release : std::uint8_t { receipt, puback };
enum class Trust : std::uint8_t { state, local };

struct StoreSettings {
    std::string path = "/var/lib/smart-gateway";
    Place path_place;
    bool may_be_volatile = false;  ///< `volatile = true`: a path on tmpfs is meant
    std::uint64_t budget_bytes = 2ULL << 30;
    std::uint64_t free_floor_bytes = 64ULL << 20;  ///< left free on the file system for others
    std::uint64_t rating_bytes = 0;  ///< what its flash may be written in its life; 0: not known
    PerLane<Duration> interval{std::chrono::seconds(0), std::chrono::seconds(0),
                               std::chrono::seconds(5), std::chrono::seconds(10),
                               std::chrono::seconds(60)};
    PerLane<unsigned> share_percent{10, 10, 40, 30, 10};
    PerLane<Policy> policy{};
};

struct UplinkSettings {
    bool tls = true;
    std::string host;  ///< empty: no [uplink], the box only measures and stores
    std::uint16_t port = 8883;
    std::string receiver = "receiver-1";
    Release release = Release::receipt;
    bool mqtt5 = true;  ///< `protocol = "5"` or "3.1.1"
    Duration keep_alive = std::chrono::seconds(30);
    std::string user, password_secret;           ///< the secret's name, never the secret
    bool insecure_lab = false;                   ///< plain MQTT to other than loopback
    std::string ca, certificate, key;            ///< files, or empty
    std::uint64_t history_bytes_per_second = 0;  ///< 0: no cap
    unsigned in_flight = 100;
};

/// A device as connected on this site.
struct SiteDevice {
    std::string id, name, profile_id;
    SettingTable connect;  ///< the driver's: { tcp = "10.0.0.5:502", unit = 1 }
    std::optional<Location> location;
    std::string serial, order, asset;
    std::optional<Publish> publish;
    bool enabled = true;
    std::map<std::string, Fraction> set;  ///< parameters
    std::string secret;
    std::string exception_why, exception_by, exception_until;
    Place place;  ///< of the [[device]]
    Place profile_place, connect_place;
    std::map<std::string, Place> set_places;  ///< of the parameters
};

/// The site file (schema smartstate.site/1), checked.
struct Site {
    std::string id, org, name;
    std::optional<Location> location;
    bool trusts_clock =
        false;  ///< `clock = "trusted"`: set by means that the kernel is not told of
    std::string profiles_path;
    Trust trust = Trust::state;
    StoreSettings store;
    UplinkSettings uplink;
    std::vector<SiteDevice> devices;
    std::string metrics_listen;  ///< loopback address:port, or empty
    std::string hash;            ///< first 16 hex digits of the SHA-256 of the file
    std::string file;
};

/// Parses and checks a site file on its own; profiles are bound by `bind`. Paths are relative to
/// the folder of `file`.
Site parse_site(std::string_view text, const std::string& file, Mistakes& mistakes);

}  // namespace gateway
