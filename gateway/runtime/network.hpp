#pragma once

#include <string>

namespace gateway {

/// What tells one state of this machine's network from another, as text: which interfaces have a
/// carrier, all addresses, all routes. It is the same as long as none of them changes. A few small
/// files are read (proc(5)); the kernel would tell of changes on a netlink socket, but a service
/// that needs none can be denied them all. A part that cannot be read is left out.
std::string network_state();

}  // namespace gateway
