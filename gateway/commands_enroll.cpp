#include "gateway/admin/control.hpp"
#include "gateway/commands.hpp"
#include "gateway/config/file.hpp"
#include "gateway/tls/certificate.hpp"

#include <iostream>
#include <optional>

namespace gateway {

namespace {

constexpr int nobody_answers = 2;

int refuse(const std::string& why)
{
    std::cerr << "smart-gateway: " << why << "\n";
    return 1;
}

}  // namespace

int enroll(const CommandOptions& options, const EnrollOptions& what)
{
    json::object request{{"command", "enroll"}};
    if (!what.certificate.empty()) {
        const auto pem = read_file(what.certificate, tls::longest_certificate);
        if (!pem) {
            return refuse(what.certificate + " cannot be read: " + pem.error().message());
        }
        request["certificate"] = *pem;
    }
    std::optional<json::object> answer;
    const auto asked = ask(options.socket(), request, [&answer](const json::object& line) {
        answer = line;
        return false;
    });
    if (!asked || !answer) {
        std::cerr << "smart-gateway: no service answers on " << options.socket()
                  << "; start it with: systemctl start smart-gateway\n";
        return nobody_answers;
    }
    if (const auto error = text_of(*answer, "error"); !error.empty()) {
        return refuse(std::string(error));
    }
    const auto made = text_of(*answer, "request");
    if (made.empty()) {
        std::cout << text_of(*answer, "text") << "\n";
    } else if (what.out.empty()) {
        std::cout << made;
    } else if (const auto kept = replace_file(what.out, made); !kept) {
        return refuse(what.out + " cannot be written: " + kept.error().message());
    } else {
        std::cout << "The request is in " << what.out
                  << "; have it signed, then: smart-gateway enroll --certificate FILE\n";
    }
    return 0;
}

}  // namespace gateway
