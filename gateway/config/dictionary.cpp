#include "gateway/config/binding.hpp"
#include "gateway/core/ids.hpp"

#include <algorithm>

namespace gateway {

namespace {

/// Bytes at the front of `text` that are one UTF-8 character (RFC 3629); 0 when they are not.
std::size_t character_size(std::string_view text)
{
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    const std::size_t size = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
    if (size > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    // Overlong forms, surrogates, beyond U+10FFFF.
    const bool wrong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                       (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return wrong ? 0 : size;
}

/// JSON written in the order of the calls.
class Writer {
public:
    Writer& key(std::string_view name)
    {
        text(name);
        out_ += ':';
        fresh_ = true;
        return *this;
    }
    /// What is not UTF-8 becomes U+FFFD.
    Writer& text(std::string_view value)
    {
        comma();
        out_ += '"';
        while (!value.empty()) {
            const auto size = character_size(value);
            if (size == 1) {
                escaped(value[0]);
            } else {
                out_ += size == 0 ? "\xEF\xBF\xBD" : value.substr(0, size);
            }
            value.remove_prefix(std::max<std::size_t>(size, 1));
        }
        out_ += '"';
        return *this;
    }
    Writer& text_or_null(std::string_view value)
    {
        return value.empty() ? raw("null") : text(value);
    }
    Writer& number(std::uint64_t value) { return raw(std::to_string(value)); }
    Writer& raw(std::string_view json)
    {
        comma();
        out_ += json;
        return *this;
    }
    Writer& open(char bracket)
    {
        comma();
        out_ += bracket;
        fresh_ = true;
        return *this;
    }
    Writer& close(char bracket)
    {
        out_ += bracket;
        fresh_ = false;
        return *this;
    }
    std::string take() { return std::move(out_); }

private:
    void comma()
    {
        if (!fresh_) {
            out_ += ',';
        }
        fresh_ = false;
    }
    void escaped(char letter)
    {
        constexpr std::string_view hex = "0123456789abcdef";
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            out_ += '\\';
            out_ += letter;
        } else if (code < 0x20) {
            out_ += "\\u00";
            out_ += hex[code >> 4U];
            out_ += hex[code & 15U];
        } else {
            out_ += letter;
        }
    }

    std::string out_;
    bool fresh_ = true;
};

std::string_view name_of(Publish publish)
{
    switch (publish) {
        case Publish::open:
            return "open";
        case Publish::agency:
            return "agency";
        case Publish::restricted:
            return "restricted";
    }
    return "restricted";
}

std::string degrees(double value)
{
    return Fraction::from_double(value).value_or(Fraction(0)).text();
}

void write_location(Writer& json, const std::optional<Location>& location)
{
    if (!location) {
        json.raw("null");
        return;
    }
    json.open('{').key("lat").raw(degrees(location->lat));
    json.key("lon").raw(degrees(location->lon)).close('}');
}

void write_device(Writer& json, const Site& site, const DeviceConfig& device,
                  const Identified& identified)
{
    const auto& own = device.site;
    json.open('{').key("index").number(device.index).key("id").text(own.id);
    json.key("name").text_or_null(own.name).key("location");
    write_location(json, own.location ? own.location : site.location);
    json.key("serial").text_or_null(identified.serial.empty() ? own.serial : identified.serial);
    json.key("firmware").text_or_null(identified.firmware);
    json.key("order").text_or_null(own.order).key("asset").text_or_null(own.asset);
    json.key("publish").text(name_of(own.publish.value_or(Publish::agency)));
    json.key("profile").open('{').key("id").text(device.profile->id);
    json.key("version").text(device.profile->version);
    json.key("sha256").text(device.profile->sha256).close('}');
    json.key("verdict").open('{').key("identity").text(to_string(identified.verdict));
    json.key("contract").text(to_string(device.contract)).close('}');
    json.key("parameters").open('{');
    for (const auto& [id, value] : device.parameters) {
        json.key(id).text(value.text());
    }
    json.close('}').close('}');
}

void write_point(Writer& json, const DeviceConfig& device, std::size_t row)
{
    const auto& point = device.profile->points[row];
    json.open('{').key("row").number(row).key("id").text(point.id).key("label");
    json.text_or_null(point.row ? point.row->label : "")
        .key("title")
        .text(point.title)
        .key("quantity")
        .text(point.quantity);
    json.key("unit").text_or_null(point.unit).key("kind").text(point.kind);
    json.key("scale").text(device.factors->scale[row].text());
    json.key("offset").text(device.factors->offset[row].text()).key("enum");
    if (point.names.empty()) {
        json.raw("null");
    } else {
        json.open('{');
        for (const auto& [number, name] : point.names) {
            json.key(std::to_string(number)).text(name);
        }
        json.close('}');
    }
    json.key("class").text(to_string(point.lane));
    json.key("publish").text(
        name_of(std::max(point.publish, device.site.publish.value_or(Publish::open))));
    json.close('}');
}

void write_alarm(Writer& json, const Alarm& alarm, std::size_t row)
{
    json.open('{').key("row").number(row).key("id").text(alarm.id);
    json.key("point").text(alarm.point).key("severity").text(alarm.severity);
    json.key("text").text(alarm.text).close('}');
}

}  // namespace

std::string dictionary_json(const Site& site, const DeviceConfig& device,
                            const Identified& identified)
{
    Writer json;
    json.open('{').key("schema").text("smartstate.dictionary/1");
    json.key("box").text(site.id).key("org").text(site.org).key("device");
    write_device(json, site, device, identified);
    json.key("points").open('[');
    for (std::size_t row = 0; row < device.profile->points.size(); ++row) {
        if (!device.profile->points[row].hidden) {
            write_point(json, device, row);
        }
    }
    json.close(']').key("alarms").open('[');
    for (std::size_t i = 0; i < device.profile->alarms.size(); ++i) {
        write_alarm(json, device.profile->alarms[i], Alias::first_alarm + i);
    }
    json.close(']').close('}');
    return json.take();
}

}  // namespace gateway
