#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::http_json {

/// Who asks. The secret is never logged.
struct Credentials {
    std::string user, secret;
};

/// What a server wants to be answered (RFC 7616).
struct Challenge {
    std::string realm, nonce, opaque;
    bool sha256 = false;  ///< else MD5
    bool qop_auth = false;
    bool has_opaque = false;
    bool stale = false;  ///< the nonce was too old, not the secret wrong
};

/// The value of a WWW-Authenticate header; nothing unless it is a Digest that can be answered: MD5
/// or SHA-256, without sessions.
std::optional<Challenge> parse_challenge(std::string_view header);

/// The value of the Authorization header for a GET. `count`: of the answers to this challenge, from
/// 1; `client_nonce`: new each time.
std::string digest_answer(const Challenge& challenge, const Credentials& credentials,
                          std::string_view target, std::uint32_t count,
                          std::string_view client_nonce);
std::string basic_answer(const Credentials& credentials);

}  // namespace gateway::http_json
