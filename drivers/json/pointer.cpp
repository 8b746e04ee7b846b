#include "drivers/json/pointer.hpp"

#include "gateway/core/decimal.hpp"

#include <charconv>
#include <optional>

namespace gateway::json_text {

namespace {

/// "0", "17"; no leading zeros (RFC 6901, section 4).
std::optional<std::size_t> index_in(std::string_view step)
{
    std::size_t index = 0;
    const auto* const end = step.data() + step.size();
    const auto parsed = std::from_chars(step.data(), end, index);
    const bool plain = parsed.ec == std::errc() && parsed.ptr == end;
    return plain && (step.size() == 1 || step[0] != '0') ? std::optional(index) : std::nullopt;
}

Member select(const Document& document, const Node& node, const Select& select)
{
    const auto list = find(document, node, select.list);
    if (list.node == nullptr || list.twice) {
        return list;
    }
    Member chosen;
    const bool holds = list.node->type == NodeType::array || list.node->type == NodeType::object;
    const auto* element = holds ? document.first(*list.node) : nullptr;
    for (; element != nullptr; element = document.next(*element, *list.node)) {
        const auto key = find(document, *element, select.key);
        if (key.node != nullptr && !key.twice &&
            scalar_text(document, *key.node) == select.equals) {
            chosen.twice = chosen.node != nullptr;
            chosen.node = element;
        }
        if (chosen.twice) {
            break;
        }
    }
    return chosen;
}

}  // namespace

Pointer parse_pointer(std::string_view text)
{
    Pointer steps;
    while (!text.empty()) {
        text.remove_prefix(1);  // the slash
        const auto end = std::min(text.find('/'), text.size());
        auto& step = steps.emplace_back();
        for (std::size_t i = 0; i < end; ++i) {
            const bool escaped = text[i] == '~' && i + 1 < end;
            step += escaped ? (text[i + 1] == '1' ? '/' : '~') : text[i];
            i += escaped ? 1 : 0;
        }
        text.remove_prefix(end);
    }
    return steps;
}

std::string escape_step(std::string_view text)
{
    std::string step;
    for (const char c : text) {
        if (c == '~' || c == '/') {
            step += c == '~' ? "~0" : "~1";
        } else {
            step += c;
        }
    }
    return step;
}

Member find(const Document& document, const Node& node, const Pointer& pointer)
{
    Member at{&node};
    for (const auto& step : pointer) {
        if (at.node->type == NodeType::object) {
            at = document.member(*at.node, step);
        } else if (at.node->type == NodeType::array) {
            const auto index = index_in(step);
            at.node = index ? document.element(*at.node, *index) : nullptr;
        } else {
            at.node = nullptr;
        }
        if (at.node == nullptr || at.twice) {
            break;
        }
    }
    return at;
}

std::string scalar_text(const Document& document, const Node& node)
{
    switch (node.type) {
        case NodeType::flag:
            return node.truth ? "true" : "false";
        case NodeType::number: {
            const auto number = parse_decimal(document.text(node));
            return number ? decimal_text(*number) : std::string(document.text(node));
        }
        case NodeType::text:
            return std::string(document.text(node));
        case NodeType::null:
        case NodeType::array:
        case NodeType::object:
            break;
    }
    return {};
}

Member find(const Document& document, const Path& path)
{
    const auto is_value = [](const Member& there) {
        return there.twice || (there.node != nullptr && there.node->type != NodeType::null);
    };
    Member found{&document.root()};
    for (const auto& each : path.selects) {
        if (found.node != nullptr && !found.twice) {
            found = select(document, *found.node, each);
        }
    }
    if (found.node != nullptr && !found.twice) {
        found = find(document, *found.node, path.at);
    }
    for (const auto& pointer : path.fallback) {
        if (is_value(found)) {
            break;
        }
        const auto other = find(document, document.root(), pointer);
        found = other.node != nullptr ? other : found;
    }
    return found;
}

}  // namespace gateway::json_text
