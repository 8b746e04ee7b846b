#pragma once

#include "gateway/config/field.hpp"
#include "gateway/config/forms.hpp"

#include <cstdint>
#include <limits>

namespace gateway {

extern const Format header_format;       ///< the name of an HTTP header
extern const Format fingerprint_format;  ///< SHA-256 of a certificate
extern const Format topic_format;        ///< an MQTT topic filter

/// What the keys of a JSON read cannot say alone.
void check_json_read(const SettingTable& read, const Field& field);

/// JSON, fetched or received: the forms of both drivers.
namespace json_schema {

using namespace rules;

inline constexpr auto json_then =
    keys(must(text("list", pointer_format)), must(text("key", pointer_format)),
         must(of_type("equals", RuleType::scalar)));
inline constexpr auto json_select =
    keys(json_then[0], json_then[1], json_then[2], table("then", json_then));
inline constexpr auto json_age =
    keys(must(text("at", pointer_format)), table("select", json_select), text("format"),
         text("zone"), duration("stale"));
inline constexpr auto json_only =
    keys(must(text("at", pointer_format)), must(of_type("equals", RuleType::scalar)));
inline constexpr auto one_code = keys(integer("", std::numeric_limits<std::int32_t>::min(),
                                              std::numeric_limits<std::int32_t>::max()));
constexpr auto json_read(Rule source)
{
    return keys(must(text("at", pointer_format)), flag("optional"), table("select", json_select),
                list(text("fallback", pointer_format)),
                choice("type", "int64|uint64|float64|text|bool|count"), text("match", regex_format),
                map("codes", any_text, one_code), flag("plain"), source);
}
inline constexpr auto http_read = json_read(text("path"));
inline constexpr auto http_reads = forms(http_read);
inline constexpr auto http_transport =
    keys(integer("port", 1, 65'535), text("path"), duration("timeout"), integer("retries", 0, 10),
         integer("max_body", 1, 1'048'576), choice("auth", "none|basic|digest|bearer|header"),
         text("header", header_format), table("age", json_age));
inline constexpr auto http_url =
    keys(must(text("url", url_format)), text("user"), text("device"), text("ca", path_format),
         text("fingerprint", fingerprint_format));
inline constexpr auto http_connect = forms(http_url);
inline constexpr auto http_example =
    keys(must(text("body", any_text, 65'536)), text("path"), text("device"));
inline constexpr auto mqtt_read = json_read(text("topic", topic_format));
inline constexpr auto mqtt_reads = forms(mqtt_read);
inline constexpr auto mqtt_transport =
    keys(must(text("topic", topic_format)), integer("max_body", 1, 1'048'576), duration("stale"),
         list(table("only", json_only)), table("age", json_age));
inline constexpr auto mqtt_broker =
    keys(must(text("broker", broker_format)), must(text("device")), text("user"),
         text("ca", path_format), choice("protocol", "3.1.1|5"), text("session", id_format));
inline constexpr auto mqtt_connect = forms(mqtt_broker);
inline constexpr auto mqtt_example =
    keys(must(text("body", any_text, 65'536)), text("topic"), text("device"));

}  // namespace json_schema

}  // namespace gateway
