#include "gateway/uplink/topics.hpp"

namespace gateway {

namespace {

std::string topic(std::string_view org, std::string_view kind, std::string_view box)
{
    std::string name = "ss1/";
    name.append(org).append("/").append(kind).append("/").append(box);
    return name;
}

}  // namespace

Topics::Topics(std::string_view org, std::string_view box)
    : state(topic(org, "state", box)),
      birth(topic(org, "birth", box)),
      alarm(topic(org, "alarm", box)),
      control(topic(org, "control", box)),
      data(topic(org, "data", box)),
      history(topic(org, "history", box)),
      manifest(topic(org, "manifest", box)),
      health(topic(org, "health", box)),
      receipt(topic(org, "receipt", box)),
      command(topic(org, "cmd", box)),
      answer(topic(org, "ack", box)),
      dictionaries_(topic(org, "dict", box) + "/")
{
}

std::string Topics::dictionary(DictionaryHash hash) const
{
    return dictionaries_ + hash_hex(hash);
}

const std::string& Topics::live(Lane lane) const
{
    switch (lane) {
        case Lane::alarm:
            return alarm;
        case Lane::control:
            return control;
        case Lane::billing:
        case Lane::telemetry:
        case Lane::diagnostic:
            break;
    }
    return data;
}

}  // namespace gateway
