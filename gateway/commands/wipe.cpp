// A box that is given away keeps nothing of this place.
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/store.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/config/file.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/store/store_reader.hpp"
#include "gateway/store/survey.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <string>

namespace gateway {

namespace {

namespace fs = std::filesystem;

// What a state directory holds, as people know it.
struct Kept {
    const char* name;
    const char* what;
};
constexpr std::array kept{Kept{"store", "the readings"}, Kept{"heads", "their counters"},
                          Kept{"tls", "the box's key and certificates"},
                          Kept{"last-good", "the last good site file"}};

// Nothing: there is no store whose readings could be counted.
std::optional<StoreSurvey> count_held(const std::string& directory)
{
    try {
        StoreReader reader(directory);
        Progress progress;
        return survey(reader, false, [&progress](std::uint64_t rows) {
            progress.say("counted " + std::to_string(rows) + " batches");
        });
    } catch (const StoreError&) {
        return std::nullopt;
    }
}

void say_what_goes(const std::string& directory, const std::optional<StoreSurvey>& found)
{
    std::cout << "In " << directory << " these are removed for ever:\n";
    for (const auto& [name, what] : kept) {
        std::error_code ignored;
        if (fs::exists(fs::path(directory) / name, ignored)) {
            std::cout << "  " << name << ": " << what << "\n";
        }
    }
    if (!found) {
        std::cout << "How many readings that is cannot be told.\n";
    } else if (found->unconfirmed > 0) {
        std::cout << painted(Colour::red, std::to_string(found->unconfirmed) +
                                              " readings are lost with it: the "
                                              "platform has not confirmed them")
                  << ".\nTo keep them: smart-gateway store export --path " << directory
                  << " --out readings.jsonl\n";
    } else {
        std::cout << "The platform has confirmed every reading.\n";
    }
    std::cout
        << "The site file and the secrets in /etc/smart-gateway stay. Flash keeps copies that "
           "no program reaches:\nhave the certificate revoked.\n";
}

bool is_agreed()
{
    std::cout << "Type the word wipe to go on: " << std::flush;
    std::string word;
    return std::getline(std::cin, word) && word == "wipe";
}

int remove_kept(const std::string& directory)
{
    int code = 0;
    for (const auto& [name, what] : kept) {
        std::error_code error;
        fs::remove_all(fs::path(directory) / name, error);
        if (error) {
            code = refuse(directory + "/" + name + ": " + error.message());
        }
    }
    if (!sync_folder(directory)) {
        code = 1;
    }
    return code;
}

}  // namespace

int wipe(const CommandOptions& options, const std::string& path, bool yes)
{
    const auto directory = state_directory(options, path);
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        return say_no_store(directory,
                            directory + ": " + (error ? error.message() : "is no folder"));
    }
    try {
        {
            const StoreLock free(directory, StoreLock::Access::look);
        }
        const auto found = count_held(directory);
        say_what_goes(directory, found);
        if (!yes && !is_agreed()) {
            return refuse("nothing was removed");
        }
        const StoreLock mine(directory);
        const auto code = remove_kept(directory);
        std::cout << (code == 0 ? "Done.\n" : "Not everything could be removed.\n");
        return code;
    } catch (const StoreError& failure) {
        return say_no_store(directory, failure.what());
    }
}

}  // namespace gateway
