// One file for whoever helps from afar. It is text, so that whoever sends it can read it first.
#include "gateway/app/plain_text.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/redact.hpp"
#include "gateway/commands/store.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/store/store_reader.hpp"
#include "gateway/store/survey.hpp"
#include "gateway/uplink/utc.hpp"

#include <sys/utsname.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>

namespace gateway {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_part = 4 << 20;

// Everything a bundle must not hold that can be read here.
std::vector<std::string> known_secrets(const std::string& config)
{
    std::vector<std::string> secrets;
    std::vector<fs::path> folders{fs::path(config).parent_path() / "secrets"};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    if (const char* given = std::getenv("CREDENTIALS_DIRECTORY"); given != nullptr) {
        folders.emplace_back(given);
    }
    for (const auto& folder : folders) {
        std::error_code error;
        for (auto entry = fs::directory_iterator(folder, error);
             !error && entry != fs::directory_iterator(); entry.increment(error)) {
            auto text = read_file(entry->path().string(), longest_secret);
            if (!text) {
                continue;
            }
            while (text->ends_with('\n')) {
                text->pop_back();
            }
            secrets.push_back(std::move(*text));
        }
    }
    return secrets;
}

// What a program prints; its error text when it cannot be run.
std::string output_of(const std::string& command)
{
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
        ::popen((command + " 2>&1").c_str(), "r"), ::pclose);  // NOLINT(cert-env33-c): fixed text
    std::string text;
    std::array<char, 4096> part{};
    while (pipe && text.size() < longest_part) {
        const auto size = std::fread(part.data(), 1, part.size(), pipe.get());
        if (size == 0) {
            break;
        }
        text.append(part.data(), size);
    }
    return text;
}

std::string file_or_reason(const std::string& path)
{
    const auto text = read_file(path, longest_part);
    return text ? *text : "(" + path + ": " + text.error().message() + ")\n";
}

std::string versions()
{
    utsname machine{};
    ::uname(&machine);
    return "smart-gateway " GATEWAY_VERSION "\n" + std::string(machine.sysname) + " " +
           machine.release + " " + machine.machine + "\n" + file_or_reason("/etc/os-release") +
           output_of("dpkg-query -W 'smart-gateway*' 'libpaho-mqtt*' 'libsqlite3-0' 'libssl3'");
}

std::string names_in(const std::string& folder)
{
    std::string text;
    std::error_code error;
    auto entry = fs::recursive_directory_iterator(
        folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        const auto state = entry->status(ignored);
        std::array<char, 32> mode{};
        std::snprintf(mode.data(), mode.size(), "%04o %10llu  ",
                      static_cast<unsigned>(state.permissions()) & 07777U,
                      static_cast<unsigned long long>(
                          fs::is_regular_file(state) ? entry->file_size(ignored) : 0));
        text += mode.data() + entry->path().string() + "\n";
    }
    return text.empty() ? "(" + folder + ": " + (error ? error.message() : "empty") + ")\n" : text;
}

std::string store_text(const std::string& directory)
{
    try {
        StoreReader reader(directory);
        const auto found = survey(reader, true, [](std::uint64_t) {});
        std::string text = std::to_string(found.readings) + " readings, " +
                           std::to_string(found.unconfirmed) + " not confirmed, " +
                           std::to_string(found.declared_lost) + " declared lost, " +
                           std::to_string(found.missing) + " missing, " +
                           std::to_string(found.damaged_rows) + " damaged rows\n";
        for (const auto& mistake : found.mistakes) {
            text += mistake + "\n";
        }
        return text;
    } catch (const StoreError& error) {
        return std::string("(") + error.what() + ")\n";
    }
}

std::string answer_text(const CommandOptions& options, const char* command)
{
    const auto answer = ask_once(options, {{"command", command}}, true);
    return answer ? json::serialize(*answer) + "\n" : "(no service answers)\n";
}

std::string site_mistakes(const CommandOptions& options)
{
    Mistakes mistakes;
    check_site(options.config, shipped_profiles(), mistakes);
    return mistakes.empty() ? "none\n" : mistakes.text();
}

}  // namespace

int bundle(const CommandOptions& options, const std::string& out)
{
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto directory = state_directory(options, {});
    const Redactor redactor(known_secrets(options.config));
    std::string text = "Smart State Gateway, support bundle of " +
                       utc_text(WallTime(now.time_since_epoch())) +
                       "\nSecrets were removed where they are known; read it before you send it.\n";
    Progress progress;
    const auto add = [&](const std::string& title, const std::string& part) {
        progress.say("collecting " + title);
        text += "\n==> " + title + " <==\n" + redactor.clean(part);
    };
    add("versions", versions());
    add("site file " + options.config, file_or_reason(options.config));
    add("mistakes of the site file", site_mistakes(options));
    add("status", answer_text(options, "status"));
    add("store", answer_text(options, "store"));
    add("store on the disk", store_text(directory));
    add("files", names_in(directory) + names_in(fs::path(options.config).parent_path()));
    add("unit", output_of("systemctl status --no-pager --lines=0 smart-gateway"));
    add("log", output_of("journalctl --unit=smart-gateway --lines=2000 --no-pager "
                         "--output=short-iso"));
    const auto file =
        out.empty() ? "smart-gateway-" + utc_text(WallTime(now.time_since_epoch())) + ".txt" : out;
    if (const auto written = replace_file(fs::absolute(file).string(), text, 0600); !written) {
        return refuse(file + " cannot be written: " + written.error().message());
    }
    std::cout << file << " (" << bytes_text(text.size())
              << "): the site file without its secrets, versions, status, store, files, log.\n"
                 "Read it before you send it.\n";
    return 0;
}

}  // namespace gateway
