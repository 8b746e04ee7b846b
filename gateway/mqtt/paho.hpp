#pragma once

#include "gateway/mqtt/client.hpp"

#include <mqtt/async_client.h>

#include <cstdint>
#include <string>

namespace gateway::mqtt {

namespace paho = ::mqtt;

/// "mqtt://127.0.0.1:1883", "mqtts://[::1]:8883".
std::string uri(const Options& options);
paho::create_options create_options(const Options& options);
/// With TLS: in a turn of tls_turn.hpp only, as it says by what the server is judged.
paho::connect_options connect_options(const Options& options);
/// The end of what connect_options said.
void expect_anything();

/// The library hands back what an operation was started with: an id, never dereferenced.
void* context_of(std::uintptr_t id);
std::uintptr_t id_of(const paho::token& token);

/// What a CONNACK says.
Session session_of(const paho::token& connected);

struct Failure {
    Error error;
    std::string text;
};
/// Why an operation failed: the broker's reason code where there is one, else Fault::closed.
Failure failure_of(const paho::token& failed);
Failure failure_of(const paho::exception& thrown);

}  // namespace gateway::mqtt
