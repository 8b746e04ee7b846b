#pragma once

#include <string>

namespace gateway {

struct RunOptions {
    std::string config;   ///< the site file
    std::string runtime;  ///< on tmpfs: control socket and spool
};

/// Runs the gateway until SIGTERM or SIGINT; SIGHUP reloads. Returns 0 after a clean stop. Throws
/// ConfigError when there is no usable site file, StoreError when the store cannot be used.
int run_gateway(const RunOptions& options);

}  // namespace gateway
