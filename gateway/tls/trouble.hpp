#pragma once

#include "gateway/core/reading.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::tls {

/// What keeps a TLS connection from working.
enum class Trouble : std::uint8_t {
    none,
    unreachable,      ///< no TCP connection
    own_files,        ///< the box's authority, certificate or key cannot be used
    stalled,          ///< connected, and then nothing
    closed,           ///< ended by the other side without a reason
    not_tls,          ///< what answers speaks another protocol
    old_version,      ///< nothing newer than TLS 1.1 is offered there
    expired,          ///< the server's certificate
    not_yet_valid,    ///< the same, at the time it is judged at
    wrong_name,       ///< a certificate for another server
    wrong_authority,  ///< a certificate by somebody else
    revoked,
    denied,  ///< the server does not accept our certificate, or wants one
    other,
};

/// The name of each in logs and tests: "wrong-name".
std::string_view to_string(Trouble trouble);

/// Whom to connect to, as what, and at what time certificates are judged.
struct Peer {
    std::string address;  ///< numeric
    std::uint16_t port = 8883;
    std::string name;     ///< expected in the certificate; empty: the address is
    std::string ca_file;  ///< empty: the system's authorities
    std::string certificate_file, key_file;
    WallTime at;
};

struct Finding {
    Trouble trouble = Trouble::none;
    std::string text;  ///< one sentence: what is wrong and what to try
    /// With not_yet_valid: the begin that an authority of ours has signed. A clock that says less
    /// is wrong.
    std::optional<WallTime> signed_time;
};

/// `detail` is what the sentence needs: a date, names, a reason.
Finding make_finding(const Peer& peer, Trouble trouble, const std::string& detail = {});

}  // namespace gateway::tls
