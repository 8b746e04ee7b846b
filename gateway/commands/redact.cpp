#include "gateway/commands/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace gateway {

namespace {

constexpr std::size_t shortest_secret = 4;
constexpr std::array<std::string_view, 14> secret_words{
    "password",   "passwd",    "passphrase", "token",         "api_key",
    "apikey",     "api-key",   "access_key", "authorization", "bearer",
    "credential", "community", "psk",        "private_key"};

bool is_word(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

std::string in_small_letters(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

void replace_all(std::string& text, std::string_view what)
{
    for (auto at = text.find(what); at != std::string::npos;
         at = text.find(what, at + Redactor::instead.size())) {
        text.replace(at, what.size(), Redactor::instead);
    }
}

// "-----BEGIN … PRIVATE KEY-----" up to its end.
void remove_keys(std::string& text)
{
    constexpr std::string_view begin = "-----BEGIN ", end = "-----END ", dashes = "-----";
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
        const auto head = text.find(dashes, at + begin.size());
        const auto title = text.substr(at, head == std::string::npos ? head : head - at);
        if (title.find("PRIVATE KEY") == std::string::npos) {
            continue;
        }
        const auto tail = text.find(end, at);
        const auto after = tail == std::string::npos ? tail : text.find(dashes, tail + end.size());
        text.replace(at, after == std::string::npos ? after : after + dashes.size() - at,
                     Redactor::instead);
    }
}

// "mqtts://user:password@host" keeps its host.
void remove_users(std::string& text)
{
    constexpr std::string_view scheme_end = "://";
    for (auto at = text.find(scheme_end); at != std::string::npos;
         at = text.find(scheme_end, at + 1)) {
        const auto begin = at + scheme_end.size();
        const auto end = std::min(text.find_first_of("/ \t\n\"'", begin), text.size());
        const auto user = text.rfind('@', end == 0 ? 0 : end - 1);
        if (user != std::string::npos && user >= begin && user < end) {
            text.replace(begin, user - begin, Redactor::instead);
        }
    }
}

// Where the value behind `key = ` or `"key": ` begins; nothing: it is no key.
std::size_t secret_begin(const std::string& text, std::size_t at)
{
    at += at < text.size() && (text[at] == '"' || text[at] == '\'') ? 1U : 0U;
    at = std::min(text.find_first_not_of(" \t", at), text.size());
    if (at == text.size() || (text[at] != '=' && text[at] != ':')) {
        return std::string::npos;
    }
    return text.find_first_not_of(" \t", at + 1);
}

std::size_t secret_end(const std::string& text, std::size_t begin)
{
    const char quote = text[begin];
    if (quote != '"' && quote != '\'') {
        return std::min(text.find_first_of("\n\r,&;}", begin), text.size());
    }
    auto at = begin + 1;
    while (at < text.size() && text[at] != quote && text[at] != '\n') {
        at += text[at] == '\\' ? 2U : 1U;
    }
    return std::min(at, text.size());
}

// Values of keys that have such a word in their name, up to the end of the text or the line.
void remove_values(std::string& text)
{
    for (const auto word : secret_words) {
        const auto small = in_small_letters(text);
        std::string out;
        std::size_t copied = 0;
        for (auto at = small.find(word); at != std::string::npos;) {
            auto end = at + word.size();
            while (end < text.size() && is_word(text[end])) {
                ++end;
            }
            const auto begin = secret_begin(text, end);
            if (begin == std::string::npos) {
                at = small.find(word, end);
                continue;
            }
            const bool quoted = text[begin] == '"' || text[begin] == '\'';
            const auto from = begin + (quoted ? 1U : 0U);
            const auto to = std::max(from, secret_end(text, begin));
            out.append(text, copied, from - copied).append(Redactor::instead);
            copied = to;
            at = small.find(word, to);
        }
        text = out.append(text, copied);
    }
}

}  // namespace

Redactor::Redactor(std::vector<std::string> secrets) : secrets_(std::move(secrets))
{
    std::erase_if(secrets_, [](const auto& text) { return text.size() < shortest_secret; });
    // A secret that holds another goes first.
    std::ranges::sort(secrets_, std::ranges::greater(), &std::string::size);
}

std::string Redactor::clean(std::string_view text) const
{
    std::string out(text);
    for (const auto& secret : secrets_) {
        replace_all(out, secret);
    }
    remove_keys(out);
    remove_users(out);
    remove_values(out);
    return out;
}

}  // namespace gateway
