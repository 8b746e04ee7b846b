#include "gateway/admin/control.hpp"
#include "gateway/app/plain_text.hpp"
#include "gateway/app/reading_row.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/uplink/utc.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <thread>

namespace gateway {

namespace {

// The service words its own state (app/status.cpp); here it is only laid out.
void print_status(const json::object& answer)
{
    std::cout << painted(is_well(answer) ? Colour::green : Colour::red, text_of(answer, "verdict"))
              << "\n";
    print_list(answer, "missing", painted(Colour::yellow, "  ! "));
    std::cout << "\n";
    print_list(answer, "facts", "  ");
    if (!list_of(answer, "device_lines").empty()) {
        std::cout << "\n";
        print_list(answer, "device_lines", "  ");
    }
    if (!list_of(answer, "advice").empty()) {
        std::cout << "\nAdvice\n";
        print_list(answer, "advice", "  - ");
    }
}

// What is being waited for.
std::string waiting_text(const std::optional<json::object>& answer)
{
    return answer ? "waiting: " + std::string(text_of(*answer, "verdict"))
                  : "waiting: the service does not answer";
}

}  // namespace

int status(const CommandOptions& options, unsigned wait_seconds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(wait_seconds);
    std::optional<json::object> answer;
    {
        Progress progress;
        for (;;) {
            const bool over = std::chrono::steady_clock::now() >= end;
            answer = ask_once(options, {{"command", "status"}}, !over);
            if (over || (answer && is_well(*answer))) {
                break;
            }
            progress.say(waiting_text(answer));
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }
    if (!answer) {
        return could_not_tell;
    }
    if (options.json) {
        std::cout << json::serialize(*answer) << "\n";
    } else {
        print_status(*answer);
        if (wait_seconds > 0 && is_well(*answer)) {
            std::cout << "\nThe door may be closed.\n";
        }
    }
    return is_well(*answer) ? 0 : 1;
}

int tail(const CommandOptions& options, unsigned count)
{
    unsigned seen = 0;
    auto print = [&](const json::object& line) {
        const auto row = ReadingRow::from(line);
        if (options.json) {
            std::cout << row.json_line() << std::endl;
        } else {
            const auto time = utc_from(row.time);
            std::cout << (time ? local_text(*time) : "(no clock)") << "  " << row.device << "  "
                      << (row.point.empty() ? "-" : row.point) << "  " << row.value
                      << (row.unit.empty() ? "" : " ") << row.unit
                      << (row.quality == "good" ? "" : "  [" + row.quality + ": " + row.cause + "]")
                      << std::endl;
        }
        return ++seen != count;
    };
    const auto asked = ask(options.socket(), {{"command", "tail"}}, print);
    if (!asked) {
        explain(options, asked.error());
        return could_not_tell;
    }
    return 0;
}

int reload(const CommandOptions& options, unsigned confirm_seconds)
{
    const auto answer =
        ask_once(options, {{"command", "reload"}, {"confirm_s", std::int64_t{confirm_seconds}}});
    if (!answer) {
        return could_not_tell;
    }
    const bool done = is_well(*answer);
    if (options.json) {
        std::cout << json::serialize(*answer) << "\n";
        return done ? 0 : 1;
    }
    (done ? std::cout : std::cerr) << text_of(*answer, "text") << "\n";
    return done ? 0 : 1;
}

}  // namespace gateway
