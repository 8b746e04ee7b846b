#include "gateway/config/binding.hpp"

#include "gateway/core/json.hpp"

#include "folder.hpp"

namespace gateway::binding_test {

namespace {

const std::string good_folder = data_folder + "/good";

ProfileSet good_profiles()
{
    Mistakes mistakes;
    auto profiles = load_profiles({good_folder}, mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return profiles;
}

std::string site_text(const std::string& devices, const std::string& trust = "local")
{
    return "schema = \"smartstate.site/1\"\n"
           "[gateway]\n"
           "id = \"place-1714000.box-0001\"\n"
           "org = \"place-1714000\"\n"
           "[profiles]\n"
           "trust = \"" +
           trust + "\"\n" + devices;
}

/// The mistakes of a site that parses.
std::string bind_mistakes(const std::string& text, const ProfileSet& profiles = good_profiles())
{
    Mistakes mistakes;
    const auto site = parse_site(text, "s.toml", mistakes);
    EXPECT_EQ(mistakes.text(), "");
    gateway::bind(site, profiles, mistakes);
    return mistakes.text();
}

std::string device(const std::string& profile, const std::string& rest)
{
    return "[[device]]\nid = \"d\"\nprofile = \"" + profile + "\"\n" + rest + '\n';
}

const std::string meter = "il.energy-meter.schneider-iem3155";
const std::string water = "il.water-meter.pulse";
const std::string road = "il.road-weather.ntcip1204-ess";
const std::string chip = "connect = { chip = \"/dev/gpiochip0\", line = 17 }\n";

TEST(Binding, TheCompleteSiteBinds)
{
    Mistakes mistakes;
    const auto file = good_folder + "/complete.site.toml";
    const auto site = parse_site(slurp(file), file, mistakes);
    const auto devices = gateway::bind(site, good_profiles(), mistakes);
    EXPECT_EQ(mistakes.text(), "");
    ASSERT_EQ(devices.size(), 4U);
    EXPECT_EQ(devices[0].profile, devices[3].profile);
    EXPECT_EQ(devices[0].factors, devices[3].factors) << "the same memory";
    EXPECT_EQ(devices[0].factors->scale[1], Fraction(1000));
    EXPECT_EQ(devices[1].factors->scale[0], *Fraction::of(1, 100));
    EXPECT_EQ(devices[1].factors->offset[0], *Fraction::parse("12345.678"));
    EXPECT_EQ(devices[1].parameters.size(), 2U);
    EXPECT_EQ(devices[0].contract, ContractVerdict::unsigned_profile);
}

TEST(Binding, DefaultsOfParametersAreFilledIn)
{
    Mistakes mistakes;
    const auto site = parse_site(
        site_text(device(water, chip + "set = { litres_per_pulse = 0.1 }")), "s.toml", mistakes);
    const auto devices = gateway::bind(site, good_profiles(), mistakes);
    ASSERT_EQ(mistakes.text(), "");
    EXPECT_EQ(devices[0].parameters.at("dial_start"), Fraction(0));
    EXPECT_EQ(devices[0].factors->scale[0], *Fraction::of(1, 10'000));
}

TEST(Binding, ParametersAreChecked)
{
    EXPECT_EQ(bind_mistakes(site_text(device(water, chip))),
              "s.toml:7:1: device[1].set: litres_per_pulse (Volume of one pulse, as printed on the "
              "dial) is missing; write set = { litres_per_pulse = … }\n");
    EXPECT_EQ(bind_mistakes(site_text(device(water, chip + "set = { litres_per_pulse = 1001 }"))),
              "s.toml:11:28: device[1].set.litres_per_pulse: 1001 is out of range; write one from "
              "0.1 to 1000\n");
    EXPECT_EQ(bind_mistakes(
                  site_text(device(water, chip + "set = { litres_per_pulse = 1, dial_stat = 1 }"))),
              "s.toml:11:43: device[1].set.dial_stat: the profile has no such parameter; write "
              "\"dial_start\"\n");
}

TEST(Binding, AnUnknownProfileIsNamedWithTheNearest)
{
    EXPECT_EQ(bind_mistakes(site_text(device("il.water-meter.puls", chip))),
              "s.toml:9:11: device[1].profile: there is no usable profile \"il.water-meter.puls\"; "
              "the nearest is \"il.water-meter.pulse\"\n");
}

TEST(Binding, WithoutACatalogueOnlyLocalTrustWorks)
{
    EXPECT_EQ(
        bind_mistakes(site_text(device(meter, "connect = { tcp = \"h:502\", unit = 1 }"), "state")),
        "s.toml:9:11: device[1].profile: profile il.energy-meter.schneider-iem3155 is not in a "
        "signed catalogue; write trust = \"local\" under [profiles] to use it unsigned\n");
}

TEST(Binding, ConnectHasTheKeysOfTheDriver)
{
    const auto with = [](const std::string& connect) {
        return bind_mistakes(site_text(device(meter, "connect = { " + connect + " }")));
    };
    EXPECT_EQ(with("tcp = \"10.0.0.5:502\", unit = 1"), "");
    EXPECT_EQ(with("rtu_over_tcp = \"10.0.0.5:4001\", unit = 1"), "");
    EXPECT_EQ(with("tcp = \"10.0.0.5\", unit = 1"),
              "s.toml:10:19: device[1].connect.tcp: \"10.0.0.5\" is not an address with a port; "
              "write \"10.0.0.5:502\" or \"[fd00::5]:502\"\n");
    EXPECT_EQ(with("tcp = \"10.0.0.5:502\", unit = 1, baud = 9600"),
              "s.toml:10:45: device[1].connect.baud: unknown key; known here: \"tcp\", \"unit\"\n");
    EXPECT_EQ(with("tcp = \"10.0.0.5:502\", unit = 1, password = \"x\""),
              "s.toml:10:45: device[1].connect.password: a secret does not belong in this file; "
              "write secret = \"NAME\" and put it into the file secrets/NAME (mode 0600)\n");
    EXPECT_EQ(with("unit = 1"),
              "s.toml:10:11: device[1].connect: is incomplete; write tcp or serial or "
              "rtu_over_tcp\n");
}

TEST(Binding, ASerialLineIsOneTheProfileOffers)
{
    const auto with = [](const std::string& line) {
        return bind_mistakes(
            site_text(device(meter, "connect = { serial = \"/dev/ttyS0\", " + line + " }")));
    };
    EXPECT_EQ(with("baud = 9600, parity = \"odd\", unit = 247"), "");
    EXPECT_EQ(with("baud = 115200, parity = \"odd\", unit = 1"),
              "s.toml:10:11: device[1].connect: baud 115200 is not one the profile lists (its "
              "transport.rtu)\n");
    EXPECT_NE(with("baud = 9600, parity = \"mark\", unit = 1"), "");
    EXPECT_NE(with("baud = 9600, parity = \"odd\", unit = 248"), "");
}

TEST(Binding, AWeakerProtocolNeedsAnException)
{
    const std::string connect = "connect = { udp = \"10.0.0.9:161\", version = \"2c\" }\n";
    EXPECT_NE(bind_mistakes(site_text(device(road, connect)))
                  .find("s.toml:10:11: device[1].connect: is weaker than the profile requires "
                        "(snmpv3-authpriv); write exception"),
              std::string::npos);
    EXPECT_EQ(
        bind_mistakes(site_text(device(
            road, connect + "exception = { why = \"old\", by = \"me\", until = 2027-01-01 }"))),
        "");
    EXPECT_EQ(bind_mistakes(site_text(
                  device(road,
                         "connect = { udp = \"10.0.0.9:161\", user = \"u\", auth = \"sha256\", "
                         "privacy = \"aes\" }"))),
              "");
}

TEST(Binding, WhereTlsIsRequiredNothingElseWillDo)
{
    auto profiles = good_profiles();
    auto strict = *profiles.at(meter);
    strict.require = "tls";
    profiles[meter] = std::make_shared<Profile>(strict);
    const auto site = site_text(device(meter, "connect = { tcp = \"10.0.0.9:502\", unit = 1 }"));
    EXPECT_NE(bind_mistakes(site, profiles).find("is weaker than the profile requires (tls)"),
              std::string::npos);
    EXPECT_EQ(bind_mistakes(site), "");
}

TEST(Profiles, TheNewestVersionOfAnIdIsTaken)
{
    const Folder folder;
    const auto text = slurp(good_folder + "/water-meter.pulse.profile.toml");
    folder.write("a.profile.toml", replaced(text, "\"1.0.0\"", "\"1.10.0\""));
    folder.write("b.profile.toml", replaced(text, "\"1.0.0\"", "\"1.9.0\""));
    folder.write("note.txt", "not a profile");
    Mistakes mistakes;
    const auto profiles = load_profiles({folder.path()}, mistakes);
    EXPECT_EQ(mistakes.text(), "");
    ASSERT_EQ(profiles.size(), 1U);
    EXPECT_EQ(profiles.begin()->second->version, "1.10.0");
}

TEST(Profiles, ALocalFileNeverShadowsAShippedId)
{
    const Folder shipped;
    const Folder local;
    const auto text = slurp(good_folder + "/water-meter.pulse.profile.toml");
    shipped.write("a.profile.toml", text);
    local.write("b.profile.toml", replaced(text, "\"1.0.0\"", "\"9.0.0\""));
    Mistakes mistakes;
    const auto profiles = load_profiles({shipped.path(), local.path()}, mistakes);
    EXPECT_EQ(profiles.at(water)->version, "1.0.0");
    EXPECT_EQ(mistakes.text(), local.path("b.profile.toml") +
                                   ": profile.id: \"il.water-meter.pulse\" is the id of " +
                                   shipped.path("a.profile.toml") +
                                   ", which holds; give this profile its own id\n");
}

TEST(Profiles, ABrokenFileIsAMistakeAndLeftOut)
{
    const Folder folder;
    folder.write("a.profile.toml", "schema = ");
    folder.write("b.profile.toml", slurp(good_folder + "/water-meter.pulse.profile.toml"));
    Mistakes mistakes;
    const auto profiles = load_profiles({folder.path(), folder.path("missing")}, mistakes);
    EXPECT_EQ(profiles.size(), 1U);
    ASSERT_EQ(mistakes.lines().size(), 2U);
    EXPECT_TRUE(
        mistakes.lines()[0].starts_with(folder.path("a.profile.toml") + ":1:10: is not TOML"))
        << mistakes.text();
    EXPECT_TRUE(mistakes.lines()[1].starts_with(folder.path("missing") + ": cannot be read"));
}

TEST(Profiles, OneVersionTwiceIsAMistake)
{
    const Folder folder;
    const auto text = slurp(good_folder + "/water-meter.pulse.profile.toml");
    folder.write("a.profile.toml", text);
    folder.write("b.profile.toml", text);
    Mistakes mistakes;
    load_profiles({folder.path()}, mistakes);
    ASSERT_EQ(mistakes.lines().size(), 1U);
    EXPECT_NE(mistakes.text().find("il.water-meter.pulse 1.0.0 is already in"), std::string::npos);
}

DeviceConfig bound(Site& site, const std::string& devices)
{
    Mistakes mistakes;
    site = parse_site(site_text(devices), "s.toml", mistakes);
    auto all = gateway::bind(site, good_profiles(), mistakes);
    EXPECT_EQ(mistakes.text(), "");
    all.at(0).index = 3;
    return all.at(0);
}

TEST(Dictionary, IsTheBytesOfTheProtocol)
{
    Site site;
    auto one =
        bound(site, device(water, chip + "name = \"Main \\\"A\\\"\"\nlocation = { lat = 41.88, "
                                         "lon = -87.63 }\npublish = \"restricted\"\nset = { "
                                         "litres_per_pulse = 10 }"));
    EXPECT_EQ(
        dictionary_json(site, one, {.verdict = IdentityVerdict::verified, .serial = "17"}),
        R"({"schema":"smartstate.dictionary/1","box":"place-1714000.box-0001","org":"place-1714000",)"
        R"("device":{"index":3,"id":"d","name":"Main \"A\"","location":{"lat":41.88,"lon":-87.63},)"
        R"("serial":"17","firmware":null,"order":null,"asset":null,"publish":"restricted",)"
        R"("profile":{"id":"il.water-meter.pulse","version":"1.0.0","sha256":")" +
            one.profile->sha256 +
            R"("},"verdict":{"identity":"verified","contract":"unsigned"},)"
            R"("parameters":{"dial_start":"0","litres_per_pulse":"10"}},)"
            R"("points":[{"row":0,"id":"volume_total","label":null,)"
            R"("title":"Volume since installation of the meter","quantity":"water.volume.total",)"
            R"("unit":"m3","kind":"uint64","scale":"0.01","offset":"0","enum":null,)"
            R"("class":"billing","publish":"restricted"}],"alarms":[]})");
}

TEST(Dictionary, HasTheAlarmsAndTheNamesOfThePoints)
{
    Site site;
    auto one = bound(site, device(road,
                                  "connect = { udp = \"h:161\", user = \"u\", auth = \"sha\", "
                                  "privacy = \"aes\" }"));
    const auto text = dictionary_json(site, one, {});
    const auto parsed = parse_json(text);
    ASSERT_TRUE(parsed) << text;
    const auto& points = parsed->at("points").as_array();
    ASSERT_EQ(points.size(), 5U * 8 + 3) << "a row each; what is read for others is not named";
    const auto& error = points.at(8 + 3 + 1);
    EXPECT_EQ(error.at("id").as_string(), "pavement_sensor_error[2]");
    EXPECT_EQ(error.at("label").as_string(), "2");
    EXPECT_EQ(error.at("enum").at("2").as_string(), "none");
    EXPECT_TRUE(error.at("unit").is_null());
    EXPECT_EQ(points.at(8 + 3 + 8).at("publish").as_string(), "open");
    EXPECT_TRUE(points.at(8).at("label").is_null());
    const auto& alarm = parsed->at("alarms").at(0);
    EXPECT_EQ(alarm.at("row").as_int64(), 32'768);
    EXPECT_EQ(alarm.at("severity").as_string(), "critical");
    EXPECT_EQ(parsed->at("device").at("verdict").at("identity").as_string(), "claimed");
}

TEST(Dictionary, BytesOfADeviceThatAreNotTextDoNotBreakIt)
{
    Site site;
    auto one = bound(site, device(meter, "connect = { tcp = \"h:502\", unit = 1 }"));
    const std::string wild("\xFF\xC0\xAF\xED\xA0\x80\x01\"\\\xC3\xA9\xF4\x90\x80\x80\xE2\x82");
    const auto parsed = parse_json(dictionary_json(site, one, {.serial = wild, .firmware = "1"}));
    ASSERT_TRUE(parsed);
    const std::string serial(parsed->at("device").at("serial").as_string());
    EXPECT_NE(serial.find("\x01\"\\\xC3\xA9"), std::string::npos);
    EXPECT_EQ(serial.find('\xFF'), std::string::npos);
}

TEST(Dictionary, DependsOnNothingElse)
{
    Site site;
    const auto text = device(meter, "connect = { tcp = \"h:502\", unit = 1 }");
    const auto first = dictionary_json(site, bound(site, text), {});
    const auto again = dictionary_json(site, bound(site, text), {});
    EXPECT_EQ(first.substr(first.find("\"device\"")), again.substr(again.find("\"device\"")));
}

}  // namespace

}  // namespace gateway::binding_test
