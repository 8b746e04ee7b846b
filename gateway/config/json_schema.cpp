#include "gateway/config/json_schema.hpp"

#include <algorithm>

namespace gateway {

namespace {

bool is_header_name(std::string_view text)
{
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return !text.empty() && text.size() <= 63 && text.find_first_not_of(letters) == text.npos;
}

bool is_fingerprint(std::string_view text)
{
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// # is the last level and alone in it, + is alone in its level.
bool is_topic_filter(std::string_view text)
{
    if (text.empty() || text.find('\0') != text.npos) {
        return false;
    }
    for (bool last = false; !last;) {
        const auto end = std::min(text.find('/'), text.size());
        const auto level = text.substr(0, end);
        last = end == text.size();
        if (level.find_first_of("+#") != level.npos &&
            (level.size() != 1 || (level == "#" && !last))) {
            return false;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
}

}  // namespace

const Format header_format{is_header_name, "the name of an HTTP header; write \"X-Api-Key\""};
const Format fingerprint_format{
    is_fingerprint, "the SHA-256 fingerprint of a certificate (64 digits 0-9 and a-f, no colons)"};
const Format topic_format{is_topic_filter,
                          "a topic; write \"zigbee2mqtt/{device}\", + for any one level"};

void check_json_read(const SettingTable& read, const Field& field)
{
    if (read.contains("codes") && get<std::string>(read, "type", {}) != "int64") {
        field.mistake("codes give whole numbers; write type = \"int64\"");
    }
    if (get<bool>(read, "plain", false) && (!get<std::string>(read, "at", {}).empty() ||
                                            read.contains("select") || read.contains("fallback"))) {
        field.mistake(
            "plain = true takes the whole text; write at = \"\" and no select or fallback");
    }
}

}  // namespace gateway
