#include "gateway/core/json.hpp"

#include <boost/json/src.hpp>

namespace gateway {

Result<json::value> parse_json(std::string_view text, std::size_t limit)
{
    if (text.size() > limit) {
        return Fault::too_large;
    }
    json::parse_options options;
    options.max_depth = 32;
    boost::system::error_code error;
    auto value = json::parse(text, error, {}, options);
    if (error) {
        return Fault::malformed;
    }
    return value;
}

std::string_view text_of(const json::object& object, std::string_view key,
                         std::string_view otherwise)
{
    const auto* member = object.if_contains(key);
    const auto* text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? otherwise : std::string_view(*text);
}

std::int64_t integer_of(const json::object& object, std::string_view key, std::int64_t otherwise)
{
    const auto* member = object.if_contains(key);
    if (member == nullptr || member->is_double()) {
        return otherwise;
    }
    Error error;
    const auto number = member->to_number<std::int64_t>(error);
    return error ? otherwise : number;
}

const json::object* object_of(const json::object& object, std::string_view key)
{
    const auto* member = object.if_contains(key);
    return member == nullptr ? nullptr : member->if_object();
}

}  // namespace gateway
