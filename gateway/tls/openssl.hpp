#pragma once

#include "gateway/core/reading.hpp"
#include "gateway/tls/trouble.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string_view>

namespace gateway::tls {

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const
    {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using X509Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;

/// The first certificate of a PEM text; null when there is none.
X509Certificate certificate_from(std::string_view pem);
/// Nothing when it is no time.
std::optional<WallTime> time_of(const ASN1_TIME* time);

/// A verification that failed: the X509_V_ERR code, and the certificate it is about. Those above it
/// were found good: `depth` 0 is the server's own.
struct Verdict {
    int code = X509_V_OK;
    int depth = 0;
    X509Certificate certificate;
};
Finding judge_certificate(const Peer& peer, const Verdict& verdict);
/// What OpenSSL's reason for a failed handshake says.
Finding judge_reason(const Peer& peer, int reason);

}  // namespace gateway::tls
