#include "drivers/http_json/auth.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <vector>

namespace gateway::http_json {

namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
    return out;
}

void skip(std::string_view& text, std::string_view characters)
{
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

std::string token(std::string_view& text)
{
    const auto size = std::min(text.find_first_of(" \t,="), text.size());
    const auto found = text.substr(0, size);
    text.remove_prefix(size);
    return std::string(found);
}

/// A text in quotes; nothing when its end is missing.
std::optional<std::string> quoted(std::string_view& text)
{
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return out;
        }
        i += text[i] == '\\' ? 1U : 0U;
        out += i < text.size() ? text[i] : '\\';
    }
    return std::nullopt;
}

/// name=value, name="value", …
std::optional<std::map<std::string, std::string>> parameters(std::string_view text)
{
    std::map<std::string, std::string> found;
    for (skip(text, " \t,"); !text.empty(); skip(text, " \t,")) {
        const auto name = lower(token(text));
        skip(text, " \t");
        if (name.empty() || !text.starts_with('=')) {
            return std::nullopt;
        }
        text.remove_prefix(1);
        skip(text, " \t");
        auto value = text.starts_with('"') ? quoted(text) : std::optional(token(text));
        if (!value || !found.emplace(name, std::move(*value)).second) {
            return std::nullopt;
        }
    }
    return found;
}

std::string hash(bool sha256, const std::string& text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), bytes.data(), &size, sha256 ? EVP_sha256() : EVP_md5(),
               nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex += digits[bytes[i] >> 4];
        hex += digits[bytes[i] & 15];
    }
    return hex;
}

std::string in_quotes(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return out + '"';
}

bool offers_auth(std::string_view qop)
{
    while (!qop.empty()) {
        skip(qop, " \t,");
        if (lower(token(qop)) == "auth") {
            return true;
        }
        skip(qop, "=");
    }
    return false;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header)
{
    constexpr std::string_view scheme = "digest ";
    if (lower(header.substr(0, scheme.size())) != scheme) {
        return std::nullopt;
    }
    auto found = parameters(header.substr(scheme.size()));
    if (!found || !found->contains("realm") || !found->contains("nonce")) {
        return std::nullopt;
    }
    const auto value = [&found](const char* name) {
        const auto at = found->find(name);
        return at == found->end() ? std::string() : at->second;
    };
    const auto algorithm = lower(value("algorithm"));
    Challenge challenge{.realm = value("realm"),
                        .nonce = value("nonce"),
                        .opaque = value("opaque"),
                        .sha256 = algorithm == "sha-256",
                        .qop_auth = offers_auth(value("qop")),
                        .has_opaque = found->contains("opaque"),
                        .stale = lower(value("stale")) == "true"};
    const bool known = algorithm.empty() || algorithm == "md5" || challenge.sha256;
    const bool answerable = challenge.qop_auth || !found->contains("qop");
    return known && answerable ? std::optional(std::move(challenge)) : std::nullopt;
}

std::string digest_answer(const Challenge& challenge, const Credentials& credentials,
                          std::string_view target, std::uint32_t count,
                          std::string_view client_nonce)
{
    std::array<char, 9> counted{};
    std::snprintf(counted.data(), counted.size(), "%08x", count);
    const std::string number(counted.data());
    const auto digest = [&challenge](const std::string& text) {
        return hash(challenge.sha256, text);
    };
    const auto who = digest(credentials.user + ':' + challenge.realm + ':' + credentials.secret);
    const auto what = digest("GET:" + std::string(target));
    auto middle = challenge.nonce + ':';
    if (challenge.qop_auth) {
        middle += number + ':' + std::string(client_nonce) + ":auth:";
    }
    auto answer = "Digest username=" + in_quotes(credentials.user) +
                  ", realm=" + in_quotes(challenge.realm) +
                  ", nonce=" + in_quotes(challenge.nonce) + ", uri=" + in_quotes(target) +
                  ", algorithm=" + (challenge.sha256 ? "SHA-256" : "MD5") +
                  ", response=" + in_quotes(digest(who + ':' + middle + what));
    if (challenge.has_opaque) {
        answer += ", opaque=" + in_quotes(challenge.opaque);
    }
    if (challenge.qop_auth) {
        answer += ", qop=auth, nc=" + number + ", cnonce=" + in_quotes(client_nonce);
    }
    return answer;
}

std::string basic_answer(const Credentials& credentials)
{
    const auto plain = credentials.user + ':' + credentials.secret;
    std::vector<unsigned char> bytes(plain.begin(), plain.end());
    std::vector<unsigned char> text((bytes.size() + 2) / 3 * 4 + 1);
    const auto size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return "Basic " + std::string(text.begin(), text.begin() + size);
}

}  // namespace gateway::http_json
