#include "gateway/admin/control.hpp"
#include "gateway/commands.hpp"
#include "gateway/reading_row.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <thread>

namespace gateway {

namespace {

constexpr int could_not_tell = 2;

// Says on standard error why the service did not answer.
void explain(const CommandOptions& options, const Error& error)
{
    if (error == Fault::not_found) {
        std::cerr << "smart-gateway: no service listens on " << options.socket()
                  << "; start it with: systemctl start smart-gateway\n";
    } else {
        std::cerr << "smart-gateway: " << options.socket() << ": " << error.message() << "\n";
    }
}

std::optional<json::object> ask_once(const CommandOptions& options, const json::object& request,
                                     bool quiet = false)
{
    std::optional<json::object> answer;
    auto keep = [&answer](const json::object& line) {
        answer = line;
        return false;
    };
    const auto asked = ask(options.socket(), request, keep);
    if (!asked && !quiet) {
        explain(options, asked.error());
    }
    return answer;
}

void print_list(const json::object& answer, std::string_view key, std::string_view indent)
{
    const auto* list = answer.if_contains(key);
    if (list == nullptr || !list->is_array()) {
        return;
    }
    for (const auto& entry : list->get_array()) {
        if (entry.is_string()) {
            std::cout << indent << std::string_view(entry.get_string()) << "\n";
        }
    }
}

// The service words its own state (app_status.cpp); here it is only laid out.
void print_status(const json::object& answer)
{
    std::cout << text_of(answer, "verdict") << "\n";
    print_list(answer, "missing", "  ! ");
    std::cout << "\n";
    print_list(answer, "facts", "  ");
    const auto* devices = answer.if_contains("device_lines");
    if (devices != nullptr) {
        std::cout << "\n";
        print_list(answer, "device_lines", "  ");
    }
    const auto* advice = answer.if_contains("advice");
    if (advice != nullptr && advice->is_array() && !advice->get_array().empty()) {
        std::cout << "\nAdvice\n";
        print_list(answer, "advice", "  - ");
    }
}

}  // namespace

int status(const CommandOptions& options, unsigned wait_seconds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(wait_seconds);
    for (;;) {
        const bool over = std::chrono::steady_clock::now() >= end;
        const auto answer = ask_once(options, {{"command", "status"}}, !over);
        const auto* ok = answer ? answer->if_contains("ok") : nullptr;
        const bool well = ok != nullptr && ok->is_bool() && ok->get_bool();
        if (!well && !over) {
            std::this_thread::sleep_for(std::chrono::seconds(1));
            continue;
        }
        if (!answer) {
            return could_not_tell;
        }
        if (options.json) {
            std::cout << json::serialize(*answer) << "\n";
        } else {
            print_status(*answer);
        }
        return well ? 0 : 1;
    }
}

int tail(const CommandOptions& options, unsigned count)
{
    unsigned seen = 0;
    auto print = [&](const json::object& line) {
        const auto row = ReadingRow::from(line);
        if (options.json) {
            std::cout << row.json_line() << std::endl;
        } else {
            std::cout << (row.time.empty() ? "(no clock)" : row.time) << "  " << row.device << "  "
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
    const auto* ok = answer->if_contains("ok");
    const bool done = ok != nullptr && ok->is_bool() && ok->get_bool();
    (done ? std::cout : std::cerr) << text_of(*answer, "text") << "\n";
    return done ? 0 : 1;
}

}  // namespace gateway
