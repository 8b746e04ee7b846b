#include "drivers/mqtt_json/device.hpp"

#include "drivers/json/example.hpp"
#include "drivers/mqtt_json/topic.hpp"
#include "gateway/config/literal.hpp"

namespace gateway::mqtt_json {

json_text::DeviceMap read_messages(const Profile& profile, std::string_view device,
                                   Mistakes& mistakes)
{
    const auto main = get<std::string>(profile.transport, "topic", {});
    return json_text::read_map(profile, "topic", main, device, mistakes);
}

std::optional<Address> read_address(const DeviceConfig& device, const ReadSecret& read_secret,
                                    Mistakes& mistakes)
{
    const auto& connect = device.site.connect;
    const auto wrong = [&](const std::string& key, const std::string& what) {
        mistakes.add(device.site.connect_place, "device." + device.site.id + '.' + key, what);
        return std::nullopt;
    };
    const auto url = get<std::string>(connect, "broker", {});
    const auto where = parse_host_port(std::string_view(url).substr(url.find("://") + 3));
    if (!where) {
        return wrong("connect.broker", "is no broker; write \"mqtt://127.0.0.1:1883\"");
    }
    if (get<std::string>(connect, "device", {}).find_first_of("+#/") != std::string::npos) {
        return wrong("connect.device", "is one level of a topic; it has no +, # or /");
    }
    Address address{.tls = url.starts_with("mqtts://"),
                    .host = where->host,
                    .port = where->port,
                    .mqtt5 = get<std::string>(connect, "protocol", "3.1.1") == "5",
                    .ca_file = get<std::string>(connect, "ca", {}),
                    .user = get<std::string>(connect, "user", {}),
                    .password = {},
                    .session = get<std::string>(connect, "session", {})};
    if (!address.tls && !address.ca_file.empty()) {
        return wrong("connect.ca", "belongs to an mqtts:// broker");
    }
    if (device.site.secret.empty()) {
        return address;
    }
    if (address.user.empty()) {
        return wrong("connect", "user is missing; it belongs to the secret");
    }
    auto secret = read_secret(device.site.secret);
    if (!secret) {
        return wrong("secret", "the secret " + device.site.secret +
                                   " cannot be read: " + secret.error().message());
    }
    address.password = std::move(*secret);
    return address;
}

std::vector<bool> required_identity(const Profile& profile)
{
    std::vector<bool> required;
    for (const auto& identify : profile.identify) {
        required.push_back(identify.required);
    }
    return required;
}

Duration longest_silence_of(const Profile& profile)
{
    constexpr auto usual = std::chrono::hours(24);
    return duration_of(profile.transport, "stale", usual);
}

std::vector<std::string> run_examples(const Profile& profile)
{
    return json_text::run_examples(profile,
                                   {.source = "topic", .otherwise = {}, .brings = matches});
}

}  // namespace gateway::mqtt_json
