#include "gateway/receiver/announcement.hpp"

#include "gateway/core/json.hpp"

#include <utility>

namespace gateway {

namespace {

std::optional<std::uint64_t> number_of(const json::object& object, std::string_view key)
{
    const auto* member = object.if_contains(key);
    if (member == nullptr || !member->is_number()) {
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto number = member->to_number<std::uint64_t>(error);
    return error ? std::nullopt : std::optional(number);
}

std::optional<std::uint64_t> sequence_of(const json::object& object, std::string_view key)
{
    const auto number = number_of(object, key);
    return number && *number <= highest_sequence ? number : std::nullopt;
}

Checked<json::value> parse_document(std::string_view bytes, std::string_view schema,
                                    const Topic& topic)
{
    auto parsed = parse_json(bytes, most_announcement_bytes);
    if (!parsed) {
        return Refusal{"not JSON: " + parsed.error().message()};
    }
    const auto* root = parsed->if_object();
    if (root == nullptr || text_of(*root, "schema") != schema) {
        return Refusal{"not a " + std::string(schema)};
    }
    if (text_of(*root, "box") != topic.box) {
        return Refusal{"the message is of another box than its topic"};
    }
    // Manifest and state do not name the org; a birth does.
    if (text_of(*root, "org", topic.org) != topic.org) {
        return Refusal{"the message is of another org than its topic"};
    }
    return std::move(*parsed);
}

Checked<BirthEpoch> parse_birth_epoch(std::string_view key, const json::value& value)
{
    const auto id = Id128::from_hex(key);
    const auto* object = value.if_object();
    const auto* lanes = object == nullptr ? nullptr : object_of(*object, "lanes");
    const auto boot = object == nullptr ? std::nullopt : Id128::from_hex(text_of(*object, "boot"));
    if (!id || lanes == nullptr || !boot) {
        return Refusal{"an epoch of the birth without id, boot or lanes"};
    }
    BirthEpoch epoch{.id = *id, .boot = *boot};
    const auto* closed = object->if_contains("closed");
    epoch.closed = closed != nullptr && closed->is_bool() && closed->get_bool();
    for (const auto& [name, span] : *lanes) {
        const auto lane = lane_from(name);
        const auto* fields = span.if_object();
        const auto first = fields == nullptr ? std::nullopt : sequence_of(*fields, "first_held");
        const auto head = fields == nullptr ? std::nullopt : sequence_of(*fields, "head");
        if (!lane || !first || !head || *first > *head + 1) {
            return Refusal{"a lane of the birth without first_held and head"};
        }
        epoch.lanes[index_of(*lane)] = LaneSpan{.first_held = *first, .head = *head};
    }
    return epoch;
}

Checked<ManifestLane> parse_manifest_lane(const json::value& value)
{
    const auto* object = value.if_object();
    if (object == nullptr) {
        return Refusal{"a lane of the manifest is not an object"};
    }
    const auto head = sequence_of(*object, "head");
    const auto count = sequence_of(*object, "count");
    const auto sum = hash_from_hex(text_of(*object, "sum"));
    const auto tombstoned = sequence_of(*object, "tombstoned");
    if (!head || !count || !sum || !tombstoned) {
        return Refusal{"a lane of the manifest without head, count, sum or tombstoned"};
    }
    return ManifestLane{.head = *head,
                        .count = *count,
                        .sum = *sum,
                        .tombstoned = *tombstoned,
                        .queued = sequence_of(*object, "queued").value_or(*head)};
}

}  // namespace

Checked<Birth> parse_birth(std::string_view bytes, const Topic& topic)
{
    const auto document = parse_document(bytes, "smartstate.birth/1", topic);
    if (!document) {
        return document.error();
    }
    const auto& root = document->get_object();
    const auto current = Id128::from_hex(text_of(root, "epoch"));
    const auto* epochs = object_of(root, "epochs");
    if (!current || epochs == nullptr || text_of(root, "org").empty()) {
        return Refusal{"a birth without org, epoch or epochs"};
    }
    Birth birth{
        .epoch = *current, .receiver = std::string(text_of(root, "receiver")), .epochs = {}};
    for (const auto& [key, value] : *epochs) {
        auto epoch = parse_birth_epoch(key, value);
        if (!epoch) {
            return epoch.error();
        }
        birth.epochs.push_back(*epoch);
    }
    return birth;
}

Checked<Manifest> parse_manifest(std::string_view bytes, const Topic& topic)
{
    const auto document = parse_document(bytes, "smartstate.manifest/1", topic);
    if (!document) {
        return document.error();
    }
    const auto* epochs = object_of(document->get_object(), "epochs");
    if (epochs == nullptr) {
        return Refusal{"a manifest without epochs"};
    }
    Manifest manifest;
    for (const auto& [key, value] : *epochs) {
        const auto id = Id128::from_hex(key);
        const auto* lanes = value.if_object();
        if (!id || lanes == nullptr) {
            return Refusal{"an epoch of the manifest without id or lanes"};
        }
        for (const auto& [name, fields] : *lanes) {
            const auto lane = lane_from(name);
            if (!lane) {
                return Refusal{"a lane of the manifest that is none"};
            }
            const auto parsed = parse_manifest_lane(fields);
            if (!parsed) {
                return parsed.error();
            }
            manifest[*id][index_of(*lane)] = *parsed;
        }
    }
    return manifest;
}

Checked<BoxState> parse_state(std::string_view bytes, const Topic& topic)
{
    const auto document = parse_document(bytes, "smartstate.state/1", topic);
    if (!document) {
        return document.error();
    }
    const auto& root = document->get_object();
    const auto state = text_of(root, "state");
    if (state != "online" && state != "offline") {
        return Refusal{"a state that is neither online nor offline"};
    }
    return BoxState{.session = std::string(text_of(root, "session")), .online = state == "online"};
}

std::optional<ClosedEpoch> parse_epoch_closed(std::string_view text)
{
    const auto parsed = parse_json(text);
    const auto* root = parsed.has_value() ? parsed->if_object() : nullptr;
    const auto id = root == nullptr ? std::nullopt : Id128::from_hex(text_of(*root, "epoch"));
    const auto* heads = root == nullptr ? nullptr : object_of(*root, "heads");
    if (!id || heads == nullptr) {
        return std::nullopt;
    }
    ClosedEpoch closed{.epoch = *id};
    for (const auto lane : all_lanes) {
        closed.heads[index_of(lane)] = sequence_of(*heads, to_string(lane)).value_or(0);
    }
    return closed;
}

}  // namespace gateway
