#include "gateway/config/site.hpp"

#include "gateway/config/reader.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/core/ids.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

namespace gateway {

namespace {

using namespace std::chrono_literals;

void parse_location(const Field& field, std::optional<Location>& location)
{
    field.table([&](Table& keys) {
        Location place;
        const auto degrees = [](const Field& key, double most, double& out) {
            const auto number = key.as_fraction();
            if (number && (number->approximate() < -most || number->approximate() > most)) {
                key.mistake("is not a number of degrees; write a decimal such as 41.88");
            } else if (number) {
                out = number->approximate();
            }
        };
        degrees(keys.need("lat"), 90, place.lat);
        degrees(keys.need("lon"), 180, place.lon);
        location = place;
    });
}

void parse_publish(const Field& field, std::optional<Publish>& publish)
{
    Publish given = Publish::agency;
    field.choice(given, {{"open", Publish::open},
                         {"agency", Publish::agency},
                         {"restricted", Publish::restricted}});
    publish = field ? std::optional(given) : std::nullopt;
}

/// A path as written, or below the folder of the site file.
void parse_path(const Field& field, const Site& site, std::string& path)
{
    std::string given;
    field.text(given, any_text, 1'024);
    if (!given.empty()) {
        path = (std::filesystem::path(site.file).parent_path() / given).string();
    }
}

void parse_gateway(Table& keys, Site& site)
{
    keys.need("id").text(site.id, id_format);
    keys.need("org", "org = \"place-1714000\"").text(site.org, org_format);
    keys["name"].text(site.name);
    parse_location(keys["location"], site.location);
    keys["clock"].choice(site.trusts_clock, {{"kernel", false}, {"trusted", true}});
}

/// The lanes whose batches wait; alarm and control are sent at once and never shed.
constexpr std::array waiting_lanes{Lane::billing, Lane::telemetry, Lane::diagnostic};

void parse_lanes(Table& keys, StoreSettings& store)
{
    keys["interval"].table([&](Table& lanes) {
        for (const auto lane : waiting_lanes) {
            lanes[to_string(lane)].duration(store.interval[index_of(lane)], 0s, 1h);
        }
    });
    keys["policy"].table([&](Table& lanes) {
        for (const auto lane : waiting_lanes) {
            lanes[to_string(lane)].choice(store.policy[index_of(lane)],
                                          {{"drop-oldest", Policy::drop_oldest},
                                           {"drop-newest", Policy::drop_newest},
                                           {"thin", Policy::thin}});
        }
    });
    const auto share = keys["share"];
    share.table([&](Table& lanes) {
        for (const auto lane : all_lanes) {
            const auto field = lanes[to_string(lane)];
            const auto part = field.as_percent();
            const auto percent = part ? part->times(Fraction(100)) : std::nullopt;
            if (!percent) {
                continue;
            }
            if (percent->denominator() != 1 || percent->numerator() < 1 ||
                percent->numerator() > 100) {
                field.mistake("is not a share; write a whole percentage from \"1%\" to \"100%\"");
            } else {
                store.share_percent[index_of(lane)] = static_cast<unsigned>(percent->numerator());
            }
        }
    });
    const auto sum = std::accumulate(store.share_percent.begin(), store.share_percent.end(), 0U);
    if (share && sum > 100) {
        share.mistake("the shares of all lanes are " + std::to_string(sum) +
                      "% together; at most 100% is allowed (a lane not named has its default)");
    }
}

void parse_store(Table& keys, Site& site)
{
    auto& store = site.store;
    const auto path = keys["path"];
    parse_path(path, site, store.path);
    store.path_place = path.place();
    keys["volatile"].flag(store.may_be_volatile);
    const auto budget = keys["budget"];
    budget.bytes(store.budget_bytes);
    if (store.budget_bytes < 16ULL << 20) {
        budget.mistake("is too small; write at least \"16MiB\"");
    }
    keys["free_floor"].bytes(store.free_floor_bytes);
    const auto rating = keys["rating"];
    rating.bytes(store.rating_bytes);
    if (rating && store.rating_bytes < 1ULL << 30) {
        rating.mistake(
            "is too small; write what the maker says may be written in all, as in "
            "\"30TiB\"");
    }
    parse_lanes(keys, store);
}

void parse_broker(Table& keys, UplinkSettings& uplink)
{
    const auto broker = keys.need("broker", "broker = \"mqtts://platform.example:8883\"");
    const auto insecure = keys["insecure"];
    insecure.choice(uplink.insecure_lab, {{"lab", true}});
    std::string url;
    broker.text(url, broker_format, 300);
    if (url.empty()) {
        return;
    }
    uplink.tls = url.starts_with("mqtts://");
    const auto address = parse_host_port(url.substr(url.find("://") + 3));
    uplink.host = address->host;
    uplink.port = address->port;
    if (!uplink.tls && !uplink.insecure_lab && !is_loopback(uplink.host)) {
        broker.mistake(
            "plain MQTT leaves the box; write mqtts://, or insecure = \"lab\" on a bench");
    }
}

void parse_uplink(Table& keys, Site& site)
{
    auto& uplink = site.uplink;
    parse_broker(keys, uplink);
    keys["receiver"].text(uplink.receiver, id_format);
    const auto release = keys["release"];
    release.choice(uplink.release, {{"receipt", Release::receipt}, {"puback", Release::puback}});
    keys["protocol"].choice(uplink.mqtt5, {{"5", true}, {"3.1.1", false}});
    if (uplink.release == Release::puback && !uplink.mqtt5) {
        release.mistake(
            "a 3.1.1 broker's refusal looks like success; write release = \"receipt\", or "
            "protocol = \"5\"");
    }
    keys["keep_alive"].duration(uplink.keep_alive, 5s, 1h);
    keys["user"].text(uplink.user);
    keys["secret"].text(uplink.password_secret, secret_format);
    keys["history_per_second"].bytes(uplink.history_bytes_per_second);
    keys["in_flight"].integer(uplink.in_flight, 1, 65'535);
    const auto tls = keys["tls"];
    tls.table([&](Table& files) {
        parse_path(files["ca"], site, uplink.ca);
        parse_path(files["certificate"], site, uplink.certificate);
        parse_path(files["key"], site, uplink.key);
    });
    if (uplink.certificate.empty() != uplink.key.empty()) {
        tls.mistake("certificate and key belong together; write both or none");
    }
    if (tls && !uplink.tls && !uplink.host.empty()) {
        tls.mistake("has no use with mqtt://; write mqtts://");
    }
}

void parse_exception(Table& keys, SiteDevice& device)
{
    keys.need("why").text(device.exception_why);
    keys.need("by").text(device.exception_by);
    keys.need("until").text(device.exception_until, date_format);
}

void parse_device(Table& keys, SiteDevice& device, std::set<std::string>& ids)
{
    device.place = keys.place();
    const auto id = keys.need("id");
    id.text(device.id, id_format);
    if (!device.id.empty() && !ids.insert(device.id).second) {
        id.mistake('"' + device.id + "\" is used twice; give each device its own id");
    }
    const auto profile = keys.need("profile");
    profile.text(device.profile_id, id_format);
    device.profile_place = profile.place();
    if (const auto* connect = keys.need("connect").as_table()) {
        device.connect = *connect;  // its keys are the driver's: see bind
        device.connect_place = keys["connect"].place();
    }
    keys["name"].text(device.name);
    parse_location(keys["location"], device.location);
    keys["serial"].text(device.serial);
    keys["order"].text(device.order);
    keys["asset"].text(device.asset);
    parse_publish(keys["publish"], device.publish);
    keys["enabled"].flag(device.enabled);
    keys["secret"].text(device.secret, secret_format);
    keys["exception"].table([&](Table& inner) { parse_exception(inner, device); });
    keys["set"].table([&](Table& parameters) {
        for (const auto& [name, setting] : parameters.settings()) {
            const auto field = parameters[name];
            field.fraction(device.set[name]);
            device.set_places[name] = field.place();
        }
    });
}

void parse_listen(const Field& field, std::string& listen)
{
    field.text(listen, host_port_format);
    const auto address = parse_host_port(listen);
    if (address && !is_loopback(address->host)) {
        field.mistake("figures leave the box only over the uplink; write \"127.0.0.1:9100\"");
    }
}

}  // namespace

Site parse_site(std::string_view text, const std::string& file, Mistakes& mistakes)
{
    Site site;
    site.file = file;
    site.hash = to_hex(sha256(text)).substr(0, 16);
    const auto root = parse_toml(text, file, mistakes);
    if (!root) {
        return site;
    }
    Table document(*root, {file, 1, 1}, {}, mistakes);
    std::string schema;
    document.need("schema", "schema = \"smartstate.site/1\"")
        .choice(schema, {{"smartstate.site/1", "smartstate.site/1"}});
    document.need("gateway").table([&](Table& keys) { parse_gateway(keys, site); });
    document["profiles"].table([&](Table& keys) {
        parse_path(keys["path"], site, site.profiles_path);
        keys["trust"].choice(site.trust, {{"state", Trust::state}, {"local", Trust::local}});
    });
    document["store"].table([&](Table& keys) { parse_store(keys, site); });
    document["uplink"].table([&](Table& keys) { parse_uplink(keys, site); });
    document["metrics"].table(
        [&](Table& keys) { parse_listen(keys.need("listen"), site.metrics_listen); });
    std::set<std::string> ids;
    document["device"].tables(
        [&](Table& keys) { parse_device(keys, site.devices.emplace_back(), ids); }, 4'096);
    return site;
}

}  // namespace gateway
