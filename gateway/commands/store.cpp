// Looking at the readings of a box, running or stopped, or of the card of one that is dead.
#include "gateway/commands/store.hpp"
#include "gateway/app/plain_text.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/service_rows.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/config/store_place.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/store/store_reader.hpp"
#include "gateway/store/survey.hpp"
#include "gateway/uplink/utc.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>

namespace gateway {

namespace {

std::string count_text(std::uint64_t count, const char* one, const char* many)
{
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

json::value time_or_null(const std::optional<WallTime>& time)
{
    return time ? json::value(utc_text(*time)) : json::value(nullptr);
}

json::object survey_object(const HeldRows& rows, const StoreSurvey& survey)
{
    json::array epochs;
    for (const auto& [id, epoch] : survey.epochs) {
        json::object lanes;
        for (const auto& [lane, about] : epoch.lanes) {
            json::array missing;
            for (const auto& hole : about.missing) {
                missing.push_back(json::array{hole.first, hole.last});
            }
            lanes[to_string(lane)] = {{"rows", about.rows},
                                      {"readings", about.readings},
                                      {"unconfirmed", about.unconfirmed},
                                      {"declared_lost", about.declared_lost},
                                      {"head", about.head},
                                      {"oldest", time_or_null(about.oldest)},
                                      {"newest", time_or_null(about.newest)},
                                      {"missing", std::move(missing)}};
        }
        epochs.push_back({{"epoch", id.hex()}, {"number", epoch.number}, {"lanes", lanes}});
    }
    const auto& stores = rows.stores();
    return {{"ok", survey.mistakes.empty()},
            {"directory", rows.directory()},
            {"boxes", json::array(survey.boxes.begin(), survey.boxes.end())},
            {"stores", stores.empty() ? json::value() : json::array(stores.begin(), stores.end())},
            {"size_bytes", rows.size_bytes()},
            {"readings", survey.readings},
            {"unconfirmed", survey.unconfirmed},
            {"declared_lost", survey.declared_lost},
            {"missing", survey.missing},
            {"damaged_rows", survey.damaged_rows},
            {"mistakes", json::array(survey.mistakes.begin(), survey.mistakes.end())},
            {"epochs", std::move(epochs)}};
}

void print_lanes(const StoreSurvey& survey)
{
    std::cout << "\n  EPOCH     LANE         READINGS  UNCONFIRMED  LOST  OLDEST TO NEWEST\n";
    for (const auto& [id, epoch] : survey.epochs) {
        for (const auto& [lane, about] : epoch.lanes) {
            std::array<char, 96> line{};
            std::snprintf(line.data(), line.size(), "  %-8.8s  %-10s %10llu %12llu %5llu  ",
                          id.hex().c_str(), std::string(to_string(lane)).c_str(),
                          static_cast<unsigned long long>(about.readings),
                          static_cast<unsigned long long>(about.unconfirmed),
                          static_cast<unsigned long long>(about.declared_lost));
            std::cout << line.data()
                      << (about.oldest
                              ? local_text(*about.oldest) + " to " + local_text(*about.newest)
                              : std::string("not dated"))
                      << "\n";
        }
    }
}

void print_survey(const HeldRows& rows, const StoreSurvey& survey)
{
    std::cout << count_text(survey.readings, "reading", "readings") << " held, "
              << survey.unconfirmed << " of them not confirmed by the platform.\n\n";
    std::string boxes;
    for (const auto& box : survey.boxes) {
        boxes += (boxes.empty() ? "" : ", ") + box;
    }
    std::cout << "  Box            " << (boxes.empty() ? "unknown" : boxes) << "\n"
              << "  Folder         " << rows.directory() << ", "
              << count_text(rows.stores().size(), "store", "stores") << ", "
              << bytes_text(rows.size_bytes()) << "\n"
              << "  Declared lost  " << survey.declared_lost << "\n";
    if (!survey.epochs.empty()) {
        print_lanes(survey);
    }
    if (!survey.mistakes.empty()) {
        std::cout << "\n"
                  << painted(Colour::red, "Not everything is whole") << ": smart-gateway store "
                  << "verify says what\n";
    }
}

int print_verdict(const StoreSurvey& survey)
{
    if (survey.mistakes.empty()) {
        const auto held =
            survey.readings == 0
                ? std::string("no reading is held")
                : count_text(survey.readings, "reading", "readings") + " held, checksums right";
        std::cout << painted(Colour::green, "Whole") << ": " << held
                  << ", no sequence is missing.\n";
        if (survey.declared_lost > 0) {
            std::cout << "Declared lost: " << survey.declared_lost << "\n";
        }
        return 0;
    }
    std::cout << painted(Colour::red, "Not whole") << ": " << survey.damaged_rows
              << " damaged rows, " << survey.missing << " missing readings.\n";
    for (const auto& mistake : survey.mistakes) {
        std::cout << painted(Colour::yellow, "  ! ") << mistake << "\n";
    }
    std::cout << "\nThe box declares by itself what is lost when it runs; nothing need be done.\n";
    return 1;
}

// Of the running service, to which its store belongs.
int print_running(const CommandOptions& options, const json::object& answer)
{
    if (options.json) {
        std::cout << json::serialize(answer) << "\n";
        return 0;
    }
    std::cout << text_of(answer, "verdict") << "\n\n";
    print_list(answer, "facts", "  ");
    return 0;
}

// What the running service says of its store; nothing: none runs. Throws StoreError when it cannot.
std::optional<json::object> ask_service(const CommandOptions& options)
{
    auto answer = ask_once(options, {{"command", "store"}}, true);
    if (answer && answer->contains("error")) {
        throw StoreError(std::string(text_of(*answer, "error")));
    }
    return answer;
}

}  // namespace

std::string state_directory(const CommandOptions& options, const std::string& path)
{
    if (path.empty()) {
        return state_folder(options.config);
    }
    const std::filesystem::path named(path);
    const auto on_card = named / "var/lib/smart-gateway";
    std::error_code ignored;
    return !std::filesystem::exists(named / "store", ignored) &&
                   std::filesystem::is_directory(on_card, ignored)
               ? on_card.string()
               : path;
}

std::unique_ptr<HeldRows> open_rows(const CommandOptions& options, const std::string& path)
{
    if (path.empty()) {
        if (const auto about = ask_service(options)) {
            return std::make_unique<ServiceRows>(options.socket(), *about);
        }
    }
    return std::make_unique<StoreReader>(state_directory(options, path));
}

int say_no_store(const std::string& directory, const std::string& why)
{
    std::cerr << "smart-gateway: " << why << "\n";
    if (why.find("in use") != std::string::npos) {
        std::cerr << "Stop the service first: systemctl stop smart-gateway\n";
    } else if (why.find("ermission") != std::string::npos) {
        std::cerr << "Only its owner may read " << directory << ": use sudo\n";
    }
    return could_not_tell;
}

int store_info(const CommandOptions& options, const std::string& path)
{
    try {
        if (const auto answer = path.empty() ? ask_service(options) : std::nullopt) {
            return print_running(options, *answer);
        }
    } catch (const StoreError& error) {
        return say_no_store(state_directory(options, path), error.what());
    }
    return store_look(options, path, false);
}

int store_look(const CommandOptions& options, const std::string& path, bool verify)
{
    const auto directory = state_directory(options, path);
    try {
        const auto rows = open_rows(options, path);
        std::optional<StoreSurvey> found;
        {
            Progress progress;
            found = survey(*rows, verify, [&progress](std::uint64_t seen) {
                progress.say("read " + std::to_string(seen) + " batches");
            });
        }
        if (options.json) {
            std::cout << json::serialize(survey_object(*rows, *found)) << "\n";
            return verify && !found->mistakes.empty() ? 1 : 0;
        }
        if (verify) {
            return print_verdict(*found);
        }
        print_survey(*rows, *found);
        return 0;
    } catch (const StoreError& error) {
        return say_no_store(directory, error.what());
    }
}

}  // namespace gateway
