#include "gateway/app/plain_text.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace gateway {

namespace {

void print_bytes(const char* name, std::string_view bytes, std::string_view means)
{
    if (!bytes.empty()) {
        std::cout << "      " << name << "  " << bytes << "\n";
    }
    if (!means.empty()) {
        std::cout << "                " << painted(Colour::faint, means) << "\n";
    }
}

void print_exchanges(const json::object& answer)
{
    if (const auto note = text_of(answer, "note"); !note.empty()) {
        std::cout << "\n" << note << "\n";
        return;
    }
    std::cout << "\nThe last exchanges, the newest at the end\n";
    for (const auto& entry : list_of(answer, "exchanges")) {
        const auto* exchange = entry.if_object();
        if (exchange == nullptr) {
            continue;
        }
        const std::chrono::milliseconds ago(integer_of(*exchange, "ago_ms"));
        std::cout << "  "
                  << (is_well(*exchange) ? painted(Colour::green, "good")
                                         : painted(Colour::red, "failed"))
                  << ", " << ago_text(ago) << " ago\n";
        print_bytes("sent    ", text_of(*exchange, "sent"), text_of(*exchange, "request"));
        print_bytes("received", text_of(*exchange, "received"), text_of(*exchange, "answer"));
    }
}

}  // namespace

int why(const CommandOptions& options, const std::string& device)
{
    const auto answer = ask_once(options, {{"command", "why"}, {"device", device}});
    if (!answer) {
        return could_not_tell;
    }
    if (const auto code = refused(*answer)) {
        return *code;
    }
    if (options.json) {
        std::cout << json::serialize(*answer) << "\n";
        return is_well(*answer) ? 0 : 1;
    }
    std::cout << painted(is_well(*answer) ? Colour::green : Colour::red,
                         text_of(*answer, "verdict"))
              << "\n";
    if (const auto means = text_of(*answer, "means"); !means.empty()) {
        std::cout << means << "\n";
    }
    if (!list_of(*answer, "try").empty()) {
        std::cout << "\nWhat to try\n";
        print_list(*answer, "try", "  - ");
    }
    std::cout << "\n";
    print_list(*answer, "facts", "  ");
    if (!list_of(*answer, "points").empty()) {
        std::cout << "\nValues that are not good\n";
        print_list(*answer, "points", "  ");
    }
    print_exchanges(*answer);
    return is_well(*answer) ? 0 : 1;
}

int maintain(const CommandOptions& options, const MaintainOptions& what)
{
    const auto answer =
        ask_once(options, {{"command", "maintain"},
                           {"device", what.device},
                           {"seconds", std::int64_t{what.end ? 0 : std::max(1U, what.seconds)}},
                           {"why", what.why}});
    if (!answer) {
        return could_not_tell;
    }
    if (const auto code = refused(*answer)) {
        return *code;
    }
    std::cout << text_of(*answer, "text") << "\n";
    return 0;
}

}  // namespace gateway
