#include "gateway/app/plain_cause.hpp"

#include "drivers/modbus/explain.hpp"

namespace gateway {

namespace {

bool is_serial(const DeviceConfig& device)
{
    return device.site.connect.contains("serial");
}

std::vector<std::string> attempts_on_silence(const DeviceConfig& device)
{
    std::vector<std::string> attempts{"is the device powered, and does its display or lamp live?"};
    if (is_serial(device)) {
        attempts.insert(attempts.end(),
                        {"is the pair A/B crossed, is the line terminated at both ends?",
                         "are rate and parity those of the device's menu?",
                         "is the unit number the one of its menu? smart-gateway scan BUS lists "
                         "those that answer"});
    } else {
        attempts.insert(attempts.end(),
                        {"is the network cable in, does the device answer a ping?",
                         "is the unit number right? behind a gateway it is that of the line"});
    }
    return attempts;
}

PlainCause on_the_wire(Cause cause, const DeviceConfig& device)
{
    const auto id = device.site.id;
    switch (cause) {
        case Cause::timeout:
            return {"Requests are sent and nothing comes back in time.",
                    attempts_on_silence(device)};
        case Cause::unreachable:
            if (is_serial(device)) {
                return {"The serial port cannot be opened.",
                        {"is the adapter plugged in? ls -l /dev/serial/by-id",
                         "may the service use it? the drop-in serial.conf of the install page"}};
            }
            return {"No connection to the device's address comes about.",
                    {"is the address in the site file the device's?",
                     "is the network cable in, does the device answer a ping?",
                     "does something else hold the device's only connection?"}};
        case Cause::crc:
            return {"Answers come with a wrong checksum.",
                    {"are rate and parity those of the device's menu?",
                     "have two devices one unit number? smart-gateway scan BUS",
                     "is the line terminated, is it beside a power cable?"}};
        case Cause::short_frame:
            return {"Answers break off.",
                    {"is the line or the converter overloaded or loose?",
                     "are rate and parity right?"}};
        case Cause::unexpected_reply:
            return {"What comes is no answer to the question.",
                    {"have two devices one unit number? smart-gateway scan BUS",
                     "is it the model that the profile is for? smart-gateway profile show " +
                         device.profile->id}};
        default:
            return {};
    }
}

PlainCause by_code(unsigned code, const DeviceConfig& device)
{
    if (device.profile->driver == "http_json") {
        return {"The device answers with the HTTP status " + std::to_string(code) + ".",
                {code == 401 || code == 403 ? "is the secret in the secrets folder the right one?"
                                            : "is the url in the site file the right one?"}};
    }
    const auto text = std::string(modbus::exception_text(static_cast<std::uint8_t>(code)));
    return {"The device refuses with exception " + std::to_string(code) + ", " + text + ".",
            {"is it the model and firmware that the profile is for? smart-gateway profile show " +
             device.profile->id}};
}

PlainCause by_the_box(Cause cause)
{
    switch (cause) {
        case Cause::maintenance:
            return {"Somebody works at the device: its readings count as suspect until the end.",
                    {"smart-gateway maintain DEVICE --end"}};
        case Cause::mismatch:
            return {"Another model than the profile's answers.",
                    {"compare the label with the profile"}};
        case Cause::recalled:
            return {"The catalogue has recalled the profile.", {"ask the procurement office"}};
        case Cause::unsigned_profile:
            return {"The profile is not signed.", {"use one that the catalogue lists"}};
        case Cause::store_slow:
            return {"The box could not store fast enough, so reads were left out.",
                    {"is the card worn? smart-gateway status"}};
        case Cause::thinned:
            return {"The store was full and kept fewer readings.", {"smart-gateway store info"}};
        case Cause::late:
            return {"The line was busy when the device was due.",
                    {"a longer poll period, or fewer devices on the line"}};
        case Cause::parameter:
            return {"A value that the site file must set is missing.", {"smart-gateway check"}};
        case Cause::disabled:
            return {"The device is switched off in the site file.", {}};
        default:
            return {};
    }
}

PlainCause of_the_value(Cause cause)
{
    switch (cause) {
        case Cause::out_of_range:
            return {"The value is outside of what the profile holds possible.",
                    {"compare with the device's display"}};
        case Cause::rate:
            return {"The value jumped faster than is possible.", {"watch it: smart-gateway tail"}};
        case Cause::stuck:
            return {"The value has not changed for too long.", {"is the sensor dirty or frozen?"}};
        case Cause::disagree:
            return {"Two values that belong together contradict each other.",
                    {"compare both with the device's display"}};
        case Cause::device_status:
            return {"The device itself says that the value is not to be trusted.",
                    {"read the device's own error display"}};
        case Cause::clock:
            return {"The device's own clock is wrong.", {"set the device's clock"}};
        case Cause::not_a_number:
        case Cause::bad_enum:
            return {"The device gives something that is no value.",
                    {"is it the model and firmware that the profile is for?"}};
        case Cause::sentinel:
            return {"The device says that it has no value.",
                    {"is the sensor connected to the device?"}};
        case Cause::dependency:
            return {"Another value that this one needs could not be read.", {}};
        default:
            return {};
    }
}

}  // namespace

PlainCause plain(Cause cause, const DeviceConfig& device)
{
    const auto number = static_cast<unsigned>(cause);
    if (constexpr auto base = static_cast<unsigned>(Cause::exception_base); number >= base) {
        return by_code(number - base, device);
    }
    for (auto found : {on_the_wire(cause, device), by_the_box(cause), of_the_value(cause)}) {
        if (!found.means.empty()) {
            return found;
        }
    }
    return {};
}

}  // namespace gateway
