#include "drivers/registry_json.hpp"

#include "drivers/http_json/device.hpp"
#include "drivers/mqtt_json/device.hpp"
#include "gateway/acquire/due_rows.hpp"
#include "gateway/config/secrets.hpp"

#include <map>
#include <utility>

namespace gateway {

namespace {

constexpr std::string_view any_device = "device";
constexpr std::size_t bytes_of_headers = 350;  // of a request and its answer, as they usually are

/// The size of the example's body that this source brings; 0 when there is none.
std::size_t body_size(const Profile& profile, std::string_view key, const std::string& source,
                      const std::string& main)
{
    for (const auto& example : profile.examples) {
        if (get<std::string>(example.raw, key, main) == source) {
            return get<std::string>(example.raw, "body", {}).size();
        }
    }
    return 0;
}

std::vector<PlannedRequest> describe(const Profile& profile, const json_text::DeviceMap& map,
                                     std::string_view key, const std::string& verb,
                                     std::size_t around_a_body)
{
    std::map<std::pair<Duration, std::uint16_t>, std::string> points;
    DueRows with(profile);
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        for (const auto row : with.with_companions(due)) {
            auto& ids = points[{poll, map.points[row].source}];
            ids += (ids.empty() ? "" : ", ") + profile.points[row].id;
        }
    }
    std::vector<PlannedRequest> requests;
    for (const auto& [which, ids] : points) {
        const auto& source = map.sources[which.second];
        const auto body = body_size(profile, key, source, map.main);
        PlannedRequest request{.poll = which.first, .text = verb + source};
        request.text += ": ";
        request.text += ids;
        request.bytes = body == 0 ? 0 : body + around_a_body;
        requests.push_back(std::move(request));
    }
    return requests;
}

}  // namespace

std::unique_ptr<Driver> make_http_json(const DeviceConfig& device, const DriverContext& context,
                                       Mistakes& mistakes)
{
    Mistakes own;
    const auto name = get<std::string>(device.site.connect, "device", {});
    auto map = http_json::read_documents(*device.profile, name, own);
    const auto secret = [&context](std::string_view named) {
        return read_secret(named, context.config_folder);
    };
    auto settings = http_json::read_settings(device, secret, own);
    mistakes.add(own);
    if (!own.empty() || !settings) {
        return nullptr;
    }
    const auto& server = settings->server;
    const auto target = server.host + ':' + std::to_string(server.port);
    http_json::HttpDriver::Shared shared{.executor = context.executor,
                                         .bus = context.buses.turns(target),
                                         .resolver = context.resolver,
                                         .clock = context.clock};
    return std::make_unique<http_json::HttpDriver>(std::move(shared), std::move(*settings),
                                                   std::move(map));
}

void check_http_json(const Profile& profile, Mistakes& mistakes)
{
    http_json::read_documents(profile, any_device, mistakes);
}

std::vector<std::string> run_http_json_examples(const Profile& profile)
{
    return http_json::run_examples(profile);
}

std::vector<PlannedRequest> describe_http_json(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = http_json::read_documents(profile, "{device}", mistakes);
    return describe(profile, map, "path", "GET ", bytes_of_headers);
}

std::unique_ptr<Driver> make_mqtt_json(const DeviceConfig& device, const DriverContext& context,
                                       Mistakes& mistakes)
{
    Mistakes own;
    const auto& profile = *device.profile;
    const auto name = get<std::string>(device.site.connect, "device", {});
    auto map = mqtt_json::read_messages(profile, name, own);
    const auto secret = [&context](std::string_view named) {
        return read_secret(named, context.config_folder);
    };
    const auto address = mqtt_json::read_address(device, secret, own);
    if (context.brokers == nullptr) {
        own.add(device.site.connect_place, "device." + device.site.id,
                "no broker can be reached from here");
    }
    mistakes.add(own);
    if (!own.empty() || !address) {
        return nullptr;
    }
    return std::make_unique<mqtt_json::MqttDriver>(
        context.executor, context.brokers->at(*address), context.clock, std::move(map),
        mqtt_json::required_identity(profile), mqtt_json::longest_silence_of(profile));
}

void check_mqtt_json(const Profile& profile, Mistakes& mistakes)
{
    mqtt_json::read_messages(profile, any_device, mistakes);
}

std::vector<std::string> run_mqtt_json_examples(const Profile& profile)
{
    return mqtt_json::run_examples(profile);
}

std::vector<PlannedRequest> describe_mqtt_json(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = mqtt_json::read_messages(profile, "{device}", mistakes);
    return describe(profile, map, "topic", "listens to ", 0);
}

}  // namespace gateway
