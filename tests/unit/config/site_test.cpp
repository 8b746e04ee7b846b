#include "gateway/config/site.hpp"

#include "gateway/core/ids.hpp"

#include "folder.hpp"

namespace gateway::site_test {

namespace {

using namespace std::chrono_literals;

Site good(const std::string& name)
{
    const auto file = data_folder + "/good/" + name + ".site.toml";
    Mistakes mistakes;
    auto site = parse_site(slurp(file), file, mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return site;
}

TEST(Site, TheSmallestHasEveryDefault)
{
    const auto site = good("minimal");
    EXPECT_EQ(site.id, "place-1714000.box-0001");
    EXPECT_EQ(site.trust, Trust::state);
    EXPECT_EQ(site.store.budget_bytes, 2ULL << 30);
    EXPECT_EQ(site.store.interval[index_of(Lane::billing)], Duration(5s));
    EXPECT_EQ(site.uplink.host, "");
    EXPECT_EQ(site.uplink.receiver, "receiver-1");
    EXPECT_TRUE(site.devices.empty());
    EXPECT_EQ(site.hash, to_hex(sha256(slurp(site.file))).substr(0, 16));
}

TEST(Site, GatewayAndStore)
{
    const auto site = good("complete");
    EXPECT_EQ(site.name, "Town hall cabinet");
    EXPECT_EQ(site.location->lat, 41.88);
    EXPECT_EQ(site.location->lon, -87.63);
    EXPECT_TRUE(site.trusts_clock);
    EXPECT_FALSE(good("minimal").trusts_clock);
    EXPECT_EQ(site.profiles_path, data_folder + "/good/profiles");
    EXPECT_EQ(site.trust, Trust::local);
    EXPECT_EQ(site.store.path, "/var/lib/smart-gateway");
    EXPECT_EQ(site.store.budget_bytes, 512ULL << 20);
    EXPECT_EQ(site.store.free_floor_bytes, 16ULL << 20);
    EXPECT_EQ(site.store.rating_bytes, 30ULL << 40);
    EXPECT_EQ(site.store.interval[index_of(Lane::diagnostic)], Duration(5min));
    EXPECT_EQ(site.store.share_percent, (PerLane<unsigned>{5, 5, 50, 30, 10}));
    EXPECT_EQ(site.store.policy[index_of(Lane::telemetry)], Policy::thin);
    EXPECT_EQ(site.metrics_listen, "127.0.0.1:9100");
}

TEST(Site, Uplink)
{
    const auto uplink = good("complete").uplink;
    EXPECT_TRUE(uplink.tls);
    EXPECT_EQ(uplink.host, "platform.example");
    EXPECT_EQ(uplink.port, 8883);
    EXPECT_EQ(uplink.receiver, "receiver-2");
    EXPECT_FALSE(uplink.mqtt5);
    EXPECT_EQ(uplink.keep_alive, Duration(45s));
    EXPECT_EQ(uplink.user, "box-0001");
    EXPECT_EQ(uplink.password_secret, "broker");
    EXPECT_EQ(uplink.history_bytes_per_second, 65'536U);
    EXPECT_EQ(uplink.in_flight, 20U);
    EXPECT_EQ(uplink.ca, "/etc/ssl/certs/platform.pem");
    EXPECT_EQ(uplink.key, data_folder + "/good/tls/box.key");
}

TEST(Site, PlainMqttOnlyToLoopbackOrInALab)
{
    EXPECT_EQ(good("loopback").uplink.host, "::1");
    EXPECT_FALSE(good("loopback").uplink.tls);
    EXPECT_TRUE(good("lab").uplink.insecure_lab);
    EXPECT_EQ(good("lab").uplink.release, Release::puback);
}

TEST(Site, Devices)
{
    const auto site = good("complete");
    ASSERT_EQ(site.devices.size(), 4U);
    const auto& meter = site.devices[0];
    EXPECT_EQ(meter.id, "town-hall-meter");
    EXPECT_EQ(meter.profile_id, "il.energy-meter.schneider-iem3155");
    EXPECT_EQ(get<std::string>(meter.connect, "tcp", {}), "10.0.0.5:502");
    EXPECT_EQ(meter.serial, "17330042");
    EXPECT_EQ(meter.publish, Publish::restricted);
    EXPECT_FALSE(meter.enabled);
    EXPECT_EQ(meter.location->lon, -87);
    EXPECT_EQ(site.devices[1].set.at("dial_start"), *Fraction::parse("12345.678"));
    EXPECT_FALSE(site.devices[1].publish);
    EXPECT_EQ(site.devices[2].secret, "road-community");
    EXPECT_EQ(site.devices[2].exception_until, "2027-06-30");
}

TEST(Site, ASecretIsNeverQuoted)
{
    Mistakes mistakes;
    parse_site(slurp(data_folder + "/bad/password.site.toml"), "s.toml", mistakes);
    EXPECT_EQ(mistakes.text().find("hunter2"), std::string::npos);
}

TEST(Site, TheBudgetHasAFloor)
{
    Mistakes mistakes;
    parse_site(slurp(data_folder + "/good/minimal.site.toml") + "[store]\nbudget = \"1MiB\"\n",
               "s.toml", mistakes);
    EXPECT_EQ(mistakes.text(),
              "s.toml:6:10: store.budget: is too small; write at least \"16MiB\"\n");
}

}  // namespace

}  // namespace gateway::site_test
