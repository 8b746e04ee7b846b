#include "gateway/commands/asking.hpp"

#include "gateway/admin/control.hpp"

#include <iostream>

namespace gateway {

int refuse(const std::string& why)
{
    std::cerr << "smart-gateway: " << why << "\n";
    return 1;
}

std::optional<int> refused(const json::object& answer)
{
    const auto error = text_of(answer, "error");
    return error.empty() ? std::nullopt : std::optional(refuse(std::string(error)));
}

void explain(const CommandOptions& options, const Error& error)
{
    if (error == Fault::not_found) {
        std::cerr << "smart-gateway: no service listens on " << options.socket()
                  << "; start it with: systemctl start smart-gateway\n"
                     "What it said last: journalctl -u smart-gateway -n 20\n";
    } else {
        std::cerr << "smart-gateway: " << options.socket() << ": " << error.message() << "\n";
    }
}

std::optional<json::object> ask_once(const CommandOptions& options, const json::object& request,
                                     bool quiet)
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

bool is_well(const json::object& answer)
{
    const auto* ok = answer.if_contains("ok");
    return ok != nullptr && ok->is_bool() && ok->get_bool();
}

const json::array& list_of(const json::object& answer, std::string_view key)
{
    static const json::array none;
    const auto* list = answer.if_contains(key);
    return list != nullptr && list->is_array() ? list->get_array() : none;
}

void print_list(const json::object& answer, std::string_view key, const std::string& indent)
{
    for (const auto& entry : list_of(answer, key)) {
        if (entry.is_string()) {
            std::cout << indent << std::string_view(entry.get_string()) << "\n";
        }
    }
}

}  // namespace gateway
