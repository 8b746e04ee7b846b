#pragma once

#include <functional>

namespace gateway::mqtt {

/// The library has no setting for the name and the time that a server's certificate is judged by;
/// OpenSSL's defaults of this process have. So one TLS connect is made at a time, and the defaults
/// are as they were when it has ended. From any thread.
namespace tls_turn {

/// Calls `go` when nobody else connects: at once, or where the one before ends its turn. It must
/// only post.
void take(const void* who, std::function<void()> go);
/// Ends the turn, or the wait for it; once more does nothing.
void end(const void* who);

}  // namespace tls_turn

}  // namespace gateway::mqtt
