#include "gateway/receiver/topic.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gateway {

namespace {

constexpr std::array<std::pair<TopicKind, std::string_view>, 8> kinds{{
    {TopicKind::state, "state"},
    {TopicKind::birth, "birth"},
    {TopicKind::dictionary, "dict"},
    {TopicKind::alarm, "alarm"},
    {TopicKind::control, "control"},
    {TopicKind::data, "data"},
    {TopicKind::history, "history"},
    {TopicKind::manifest, "manifest"},
}};

constexpr bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The text up to the next '/', which is taken off `rest`.
std::string_view level(std::string_view& rest)
{
    const auto slash = rest.find('/');
    const auto found = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    return found;
}

}  // namespace

std::string_view to_string(TopicKind kind)
{
    return kinds[static_cast<std::size_t>(kind)].second;
}

std::string_view to_string(RefusalKind kind)
{
    switch (kind) {
        case RefusalKind::topic:
            return "topic";
        case RefusalKind::origin:
            return "origin";
        case RefusalKind::limit:
            return "limit";
        case RefusalKind::content:
            return "content";
    }
    return "content";
}

bool is_name(std::string_view text)
{
    constexpr std::size_t longest = 63;
    return !text.empty() && text.size() <= longest && is_letter_or_digit(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; });
}

Checked<Topic> parse_topic(std::string_view topic)
{
    auto rest = topic;
    const auto version = level(rest);
    const auto org = level(rest);
    const auto name = level(rest);
    const auto box = level(rest);
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.second == name; });
    if (version != "ss1" || kind == kinds.end()) {
        return Refusal{"not a topic of this protocol", RefusalKind::topic};
    }
    if (!is_name(org) || !is_name(box)) {
        return Refusal{"org or box in the topic is not a name", RefusalKind::topic};
    }
    Topic parsed{.kind = kind->first, .org = std::string(org), .box = std::string(box)};
    if (parsed.kind == TopicKind::dictionary) {
        const auto hash = hash_from_hex(rest);
        if (!hash) {
            return Refusal{"the topic does not end in a dictionary's hash", RefusalKind::topic};
        }
        parsed.hash = *hash;
    } else if (!rest.empty()) {
        return Refusal{"the topic has a level too many", RefusalKind::topic};
    }
    return parsed;
}

std::vector<std::string> subscriptions(std::string_view org)
{
    const auto root = "ss1/" + std::string(org.empty() ? "+" : org) + "/";
    std::vector<std::string> topics;
    // Dictionaries first: retained ones are then here before the batches that name them.
    topics.push_back(root + "dict/+/+");
    for (const auto& [kind, name] : kinds) {
        if (kind != TopicKind::dictionary) {
            topics.push_back(root + std::string(name) + "/+");
        }
    }
    return topics;
}

std::string receipt_topic(std::string_view org, std::string_view box)
{
    return "ss1/" + std::string(org) + "/receipt/" + std::string(box);
}

}  // namespace gateway
