#include "gateway/tls/certificate.hpp"

#include "gateway/config/file.hpp"
#include "gateway/tls/openssl.hpp"

#include <array>
#include <ctime>
#include <stdexcept>

namespace gateway::tls {

namespace {

Bio reading(std::string_view text)
{
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(const Bio& bio)
{
    const char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Key key_from(std::string_view pem)
{
    // No callback and an empty password: a key behind one is refused, and nothing asks on a
    // terminal.
    std::string none;
    return Key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, none.data()));
}

std::string common_name_of(const X509* certificate)
{
    std::array<char, 256> text{};
    const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                               text.data(), static_cast<int>(text.size()));
    return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

}  // namespace

X509Certificate certificate_from(std::string_view pem)
{
    return X509Certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
}

std::optional<WallTime> time_of(const ASN1_TIME* time)
{
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
        return std::nullopt;
    }
    return WallTime(std::chrono::seconds(timegm(&parts)));
}

Checked<Certificate> read_certificate(std::string_view pem)
{
    if (pem.size() > longest_certificate) {
        return Problem{"is larger than a certificate"};
    }
    const auto certificate = certificate_from(pem);
    if (!certificate) {
        return Problem{"is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)"};
    }
    const auto not_before = time_of(X509_get0_notBefore(certificate.get()));
    const auto not_after = time_of(X509_get0_notAfter(certificate.get()));
    if (!not_before || !not_after) {
        return Problem{"is a certificate without a time"};
    }
    return Certificate{
        .common_name = common_name_of(certificate.get()),
        .not_before = *not_before,
        .not_after = *not_after,
        .for_clients = X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1};
}

Checked<Certificate> read_certificate_file(const std::string& path)
{
    const auto pem = read_file(path, longest_certificate);
    if (!pem) {
        return Problem{"cannot be read: " + pem.error().message()};
    }
    return read_certificate(*pem);
}

bool belong_together(std::string_view certificate_pem, std::string_view key_pem)
{
    const auto certificate = certificate_from(certificate_pem);
    const auto key = key_from(key_pem);
    return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

std::string make_key()
{
    const Key key(EVP_EC_gen("P-256"));
    const Bio text(BIO_new(BIO_s_mem()));
    if (!key || !text ||
        PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
        throw std::runtime_error("no key can be made");
    }
    return written(text);
}

Checked<std::string> make_request(std::string_view key_pem, const std::string& common_name)
{
    const auto key = key_from(key_pem);
    const X509Request request(X509_REQ_new());
    const Bio text(BIO_new(BIO_s_mem()));
    const auto* name = reinterpret_cast<const unsigned char*>(common_name.c_str());
    const bool made =
        key && request && text && X509_REQ_set_version(request.get(), 0) == 1 &&
        X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName,
                                   MBSTRING_ASC, name, -1, -1, 0) == 1 &&
        X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
        X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0 &&
        PEM_write_bio_X509_REQ(text.get(), request.get()) == 1;
    if (!made) {
        return Problem{"no request can be made from the box's key"};
    }
    return fine(written(text));
}

std::optional<int> days_left(const std::optional<Certificate>& certificate, WallTime now)
{
    if (!certificate) {
        return std::nullopt;
    }
    const auto left = std::chrono::floor<std::chrono::days>(certificate->not_after - now);
    return static_cast<int>(left.count());
}

std::string date_text(WallTime time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    const std::time_t clock = seconds;
    std::tm parts{};
    std::array<char, 16> text{};
    gmtime_r(&clock, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
    return text.data();
}

}  // namespace gateway::tls
