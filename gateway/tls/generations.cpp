#include "gateway/tls/generations.hpp"

#include "gateway/config/file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace gateway::tls {

namespace {

constexpr std::size_t longest_key = 16'384;
constexpr unsigned only_owner = 0600;

std::optional<unsigned> number_of(std::string_view text)
{
    unsigned number = 0;
    const auto* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && last == end && number > 0 ? std::optional(number) : std::nullopt;
}

bool exists(const std::string& path)
{
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

}  // namespace

Generations::Files Generations::files(unsigned number) const
{
    const auto folder = folder_ + '/' + std::to_string(number);
    return {number, folder + "/certificate.pem", folder + "/key.pem"};
}

/// Ascending.
std::vector<unsigned> Generations::numbers() const
{
    std::vector<unsigned> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
        if (const auto number = number_of(entry.path().filename().string())) {
            found.push_back(*number);
        }
    }
    std::ranges::sort(found);
    return found;
}

unsigned Generations::current_number() const
{
    const auto text = read_file(folder_ + "/current", 16);
    return text ? number_of(std::string_view(*text).substr(0, text->find('\n'))).value_or(0) : 0;
}

std::optional<Generations::Files> Generations::current() const
{
    const auto number = current_number();
    return number > 0 ? std::optional(files(number)) : std::nullopt;
}

std::optional<Generations::Files> Generations::waiting() const
{
    const auto all = numbers();
    if (all.empty() || all.back() <= current_number() || !exists(files(all.back()).key)) {
        return std::nullopt;
    }
    return files(all.back());
}

std::optional<Generations::Files> Generations::candidate() const
{
    const auto newest = waiting();
    return newest && exists(newest->certificate) ? newest : std::nullopt;
}

/// A new generation with this key.
Result<Generations::Files> Generations::begin(std::string_view key_pem)
{
    const auto all = numbers();
    auto number = (all.empty() ? 0 : all.back()) + 1;
    if (!all.empty() && all.back() > current_number() && !exists(files(all.back()).key)) {
        number = all.back();  // begun, and stopped before its key was there
    }
    const auto made = files(number);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(made.key).parent_path(), error);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
    if (error) {
        return Error(error);
    }
    if (auto kept = replace_file(made.key, key_pem, only_owner); !kept) {
        return kept.error();
    }
    if (auto synced = sync_folder(folder_); !synced) {
        return synced.error();
    }
    return made;
}

Checked<std::string> Generations::request(const std::string& box)
{
    auto holder = waiting();
    if (!holder) {
        const auto begun = begin(make_key());
        if (!begun) {
            return Problem{"the new key cannot be kept: " + begun.error().message()};
        }
        holder = *begun;
    }
    const auto key = read_private_file(holder->key, longest_key);
    if (!key) {
        return Problem{holder->key + " cannot be read: " + key.error().message()};
    }
    return make_request(*key, box);
}

/// The generation that waits for a certificate of this key.
Result<Generations::Files> Generations::holder_of_key(std::string_view pem)
{
    const auto used = current_number();
    for (const auto number : numbers()) {
        const auto key = read_private_file(files(number).key, longest_key);
        if (number < used || !key || !belong_together(pem, *key)) {
            continue;
        }
        if (number > used) {
            return files(number);
        }
        return begin(*key);  // renewed for the key in use
    }
    return Fault::not_found;
}

Checked<Generations::Files> Generations::offer(std::string_view pem, const std::string& box,
                                               WallTime now)
{
    const auto certificate = read_certificate(pem);
    if (!certificate) {
        return Problem{"the file " + certificate.error().text};
    }
    if (certificate->common_name != box) {
        return Problem{"the certificate is for \"" + certificate->common_name + "\", this box is " +
                       box};
    }
    if (!certificate->for_clients) {
        return Problem{"the certificate is not one for clients; sign it with clientAuth"};
    }
    if (certificate->not_after <= now) {
        return Problem{"the certificate expired on " + date_text(certificate->not_after)};
    }
    const auto holder = holder_of_key(pem);
    if (!holder) {
        return Problem{holder.error() == Fault::not_found
                           ? "the certificate belongs to another key: sign the request that "
                             "smart-gateway enroll prints now"
                           : "it cannot be kept: " + holder.error().message()};
    }
    if (auto kept = replace_file(holder->certificate, pem); !kept) {
        return Problem{"it cannot be kept: " + kept.error().message()};
    }
    return *holder;
}

Status Generations::accept(const Files& candidate)
{
    const auto before = current_number();
    if (auto switched = replace_file(folder_ + "/current", std::to_string(candidate.number) + '\n');
        !switched) {
        return switched;
    }
    for (const auto number : numbers()) {
        if (number < candidate.number && number != before) {
            std::error_code ignored;  // it only takes room
            std::filesystem::remove_all(folder_ + '/' + std::to_string(number), ignored);
        }
    }
    return {};
}

Status Generations::refuse(const Files& candidate)
{
    std::error_code error;
    std::filesystem::remove(candidate.certificate, error);
    return error ? Status(Error(error)) : Status();
}

}  // namespace gateway::tls
