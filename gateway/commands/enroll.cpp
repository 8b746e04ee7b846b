#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/config/file.hpp"
#include "gateway/tls/certificate.hpp"

#include <iostream>

namespace gateway {

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
    const auto answer = ask_once(options, request);
    if (!answer) {
        return could_not_tell;
    }
    if (const auto code = refused(*answer)) {
        return *code;
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
