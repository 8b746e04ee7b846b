#include "gateway/tls/trouble.hpp"

#include "gateway/tls/certificate.hpp"
#include "gateway/tls/openssl.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

namespace gateway::tls {

namespace {

using GeneralNames = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

/// The DNS names that a certificate is for.
std::string names_in(const X509* certificate)
{
    const GeneralNames names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::string list;
    for (int at = 0; names && at < sk_GENERAL_NAME_num(names.get()); ++at) {
        const auto* name = sk_GENERAL_NAME_value(names.get(), at);
        if (name->type != GEN_DNS || list.size() > 200) {
            continue;
        }
        const auto* text = name->d.dNSName;
        list.append(list.empty() ? "" : ", ")
            .append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    return list.empty() ? "no name" : list;
}

std::string date_of(const std::optional<WallTime>& time, const Verdict& verdict)
{
    return (time ? date_text(*time) : "an unknown day") +
           (verdict.depth > 0 ? " (that of its authority)" : "");
}

std::string sentence(const Peer& peer, Trouble trouble, const std::string& detail)
{
    const auto server = peer.name.empty() ? peer.address : peer.name;
    const auto place = server + ':' + std::to_string(peer.port);
    switch (trouble) {
        case Trouble::none:
            return "TLS works with " + place;
        case Trouble::unreachable:
            return "no connection to " + place + " (" + detail +
                   "): check cable, modem and firewall";
        case Trouble::own_files:
            return detail;
        case Trouble::stalled:
            return place +
                   " takes the connection and does not answer the TLS greeting: the broker "
                   "is overloaded, or something between holds the answer back";
        case Trouble::closed:
            return place + " closes the connection during the TLS greeting";
        case Trouble::not_tls:
            return "what answers at " + place + " does not speak TLS: check the port of `broker`";
        case Trouble::old_version:
            return place + " offers no TLS version from 1.2 on: its operator must update it";
        case Trouble::expired:
            return "the certificate of " + server + " expired on " + detail +
                   ": its operator must renew it (certificates were judged at " +
                   date_text(peer.at) + ")";
        case Trouble::not_yet_valid:
            return "the certificate of " + server + " is valid from " + detail +
                   " on and this box takes today for " + date_text(peer.at) +
                   ": check that a time server can be reached";
        case Trouble::wrong_name:
            return "the certificate shown for " + server + " is for " + detail +
                   ": correct `broker` in the site file, or somebody is in between";
        case Trouble::wrong_authority:
            return "the certificate of " + server + " is not by an authority that " +
                   (peer.ca_file.empty() ? std::string("this system") : peer.ca_file) + " names (" +
                   detail + "): correct `ca` in the site file, or somebody is in between";
        case Trouble::revoked:
            return "the certificate of " + server + " was revoked";
        case Trouble::denied:
            return peer.certificate_file.empty()
                       ? server + " wants a certificate and this box has none: smart-gateway enroll"
                       : server + " does not accept this box's certificate (" + detail +
                             "): have it signed anew: smart-gateway enroll";
        case Trouble::other:
            break;
    }
    return "the TLS connection to " + place + " failed: " + detail;
}

}  // namespace

std::string_view to_string(Trouble trouble)
{
    constexpr std::array<std::string_view, 14> names{
        "none",        "unreachable", "own-files",     "stalled",    "closed",          "not-tls",
        "old-version", "expired",     "not-yet-valid", "wrong-name", "wrong-authority", "revoked",
        "denied",      "other"};
    return names.at(static_cast<std::size_t>(trouble));
}

Finding make_finding(const Peer& peer, Trouble trouble, const std::string& detail)
{
    return {trouble, sentence(peer, trouble, detail), {}};
}

Finding judge_certificate(const Peer& peer, const Verdict& verdict)
{
    const auto* certificate = verdict.certificate.get();
    switch (verdict.code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return make_finding(peer, Trouble::expired,
                                date_of(time_of(X509_get0_notAfter(certificate)), verdict));
        case X509_V_ERR_CERT_NOT_YET_VALID: {
            const auto begin = time_of(X509_get0_notBefore(certificate));
            auto finding = make_finding(peer, Trouble::not_yet_valid, date_of(begin, verdict));
            finding.signed_time = begin;
            return finding;
        }
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return make_finding(peer, Trouble::wrong_name, names_in(certificate));
        case X509_V_ERR_CERT_REVOKED:
            return make_finding(peer, Trouble::revoked);
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        case X509_V_ERR_INVALID_CA:
            return make_finding(peer, Trouble::wrong_authority,
                                X509_verify_cert_error_string(verdict.code));
        default:
            return make_finding(peer, Trouble::other, X509_verify_cert_error_string(verdict.code));
    }
}

Finding judge_reason(const Peer& peer, int reason)
{
    switch (reason) {
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
            return make_finding(peer, Trouble::old_version);
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_BAD_LENGTH:
        case SSL_R_RECORD_LENGTH_MISMATCH:
        case SSL_R_UNEXPECTED_MESSAGE:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
            return make_finding(peer, Trouble::not_tls);
        default:
            break;
    }
    const char* words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
    const std::string detail = words != nullptr ? words : "reason " + std::to_string(reason);
    switch (reason - SSL_AD_REASON_OFFSET) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
        case SSL_AD_DECRYPT_ERROR:
        case SSL_AD_CERTIFICATE_REQUIRED:
        case SSL_AD_HANDSHAKE_FAILURE:  // TLS 1.2's word for a certificate that is missing
            return make_finding(peer, Trouble::denied, detail);
        default:
            return make_finding(peer, Trouble::other, detail);
    }
}

}  // namespace gateway::tls
