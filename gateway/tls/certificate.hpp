#pragma once

#include "gateway/core/reading.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::tls {

/// Why something cannot be used, in words for people.
struct Problem {
    std::string text;
};
template <typename T>
using Checked = boost::system::result<T, Problem>;
/// A text that is no Problem.
inline Checked<std::string> fine(std::string text)
{
    return {boost::system::in_place_value, std::move(text)};
}

/// What a certificate says of its owner and of its time.
struct Certificate {
    std::string common_name;
    WallTime not_before, not_after;
    bool for_clients = false;  ///< may prove who a client is
};

constexpr std::size_t longest_certificate = 32'768;  ///< PEM, with its chain

/// The first certificate of a PEM text; the others are its issuers.
Checked<Certificate> read_certificate(std::string_view pem);
/// The same of a file.
Checked<Certificate> read_certificate_file(const std::string& path);
/// The first certificate was made for this private key.
bool belong_together(std::string_view certificate_pem, std::string_view key_pem);

/// A new private key (P-256), PEM; throws std::runtime_error when the machine cannot make one.
std::string make_key();
/// The request (PKCS#10, PEM) for a certificate with this name for the key.
Checked<std::string> make_request(std::string_view key_pem, const std::string& common_name);

/// Whole days until it ends, negative after; nothing without a certificate.
std::optional<int> days_left(const std::optional<Certificate>& certificate, WallTime now);
/// "2026-08-01"
std::string date_text(WallTime time);

}  // namespace gateway::tls
