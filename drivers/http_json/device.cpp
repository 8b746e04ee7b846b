#include "drivers/http_json/device.hpp"

#include "drivers/json/example.hpp"
#include "gateway/config/literal.hpp"

#include <algorithm>

namespace gateway::http_json {

namespace {

constexpr std::string_view usual_path = "/";

Auth auth_of(const Profile& profile)
{
    const auto name = get<std::string>(profile.transport, "auth", "none");
    return name == "basic"    ? Auth::basic
           : name == "digest" ? Auth::digest
           : name == "bearer" ? Auth::bearer
           : name == "header" ? Auth::header
                              : Auth::none;
}

bool is_target(std::string_view path)
{
    const auto allowed = [](char c) { return c > ' ' && c <= '~' && c != '#'; };
    return path.starts_with('/') && std::all_of(path.begin(), path.end(), allowed);
}

}  // namespace

json_text::DeviceMap read_documents(const Profile& profile, std::string_view device,
                                    Mistakes& mistakes)
{
    const auto main = get<std::string>(profile.transport, "path", std::string(usual_path));
    auto map = json_text::read_map(profile, "path", main, device, mistakes);
    for (const auto& path : map.sources) {
        if (!is_target(path)) {
            mistakes.add({profile.file}, "transport.path",
                         '"' + path +
                             "\" is no path; write one that begins with / and has no spaces, as in "
                             "\"/status?id=0\"");
        }
    }
    if ((auth_of(profile) == Auth::header) != profile.transport.contains("header")) {
        mistakes.add({profile.file}, "transport.header",
                     "belongs to auth = \"header\"; write both or neither");
    }
    return map;
}

std::optional<Settings> read_settings(const DeviceConfig& device, const ReadSecret& read_secret,
                                      Mistakes& mistakes)
{
    const auto& profile = *device.profile;
    const auto& connect = device.site.connect;
    const auto& transport = profile.transport;
    const auto wrong = [&](const std::string& key, const std::string& what) {
        mistakes.add(device.site.connect_place, "device." + device.site.id + '.' + key, what);
        return std::nullopt;
    };
    const auto port = static_cast<std::uint16_t>(get<std::int64_t>(transport, "port", 80));
    auto server = parse_url(get<std::string>(connect, "url", {}), port);
    if (!server) {
        return wrong("connect.url", "is no web address; write \"http://10.0.0.7\"");
    }
    server->ca_file = get<std::string>(connect, "ca", {});
    server->fingerprint = get<std::string>(connect, "fingerprint", {});
    if (!server->tls && (!server->ca_file.empty() || !server->fingerprint.empty())) {
        return wrong("connect", "ca and fingerprint belong to an https:// address");
    }
    if (get<std::string>(connect, "device", {}).empty() && json_text::names_device(profile)) {
        return wrong("connect",
                     "device is missing; the profile says {device}: write the name by "
                     "which this unit goes");
    }
    Settings settings{.server = std::move(*server),
                      .auth = auth_of(profile),
                      .header = get<std::string>(transport, "header", {}),
                      .timeout = duration_of(transport, "timeout", std::chrono::seconds(5)),
                      .retries = static_cast<unsigned>(get<std::int64_t>(transport, "retries", 1))};
    settings.credentials.user = get<std::string>(connect, "user", {});
    if (device.site.secret.empty()) {
        settings.auth = Auth::none;  // a device may be set to ask for none
        return settings;
    }
    if (settings.auth == Auth::none) {
        return wrong("secret", "has no use: the profile's device has no auth; leave it out");
    }
    const bool needs_user = settings.auth == Auth::basic || settings.auth == Auth::digest;
    if (needs_user && settings.credentials.user.empty()) {
        return wrong("connect", "user is missing; it belongs to the secret");
    }
    auto secret = read_secret(device.site.secret);
    if (!secret) {
        return wrong("secret", "the secret " + device.site.secret +
                                   " cannot be read: " + secret.error().message());
    }
    settings.credentials.secret = std::move(*secret);
    if (settings.credentials.secret.find_first_of("\r\n") != std::string::npos) {
        return wrong("secret", "the secret " + device.site.secret + " is more than one line");
    }
    return settings;
}

std::vector<std::string> run_examples(const Profile& profile)
{
    return json_text::run_examples(
        profile, {.source = "path",
                  .otherwise = usual_path,
                  .brings = [](std::string_view source, std::string_view address) {
                      return source == address;
                  }});
}

}  // namespace gateway::http_json
