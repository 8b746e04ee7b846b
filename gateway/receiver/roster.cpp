#include "gateway/receiver/roster.hpp"

#include "gateway/receiver/topic.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <set>

namespace gateway {

namespace {

constexpr std::array box_writes{"state",   "birth",    "dict",   "alarm", "control",   "data",
                                "history", "manifest", "health", "ack",   "acceptance"};
constexpr std::array box_reads{"receipt", "cmd"};

std::string rule(std::string_view what, std::string_view org, std::string_view kind,
                 std::string_view box)
{
    std::string line = "topic ";
    line.append(what).append(" ss1/").append(org).append("/").append(kind).append("/").append(box);
    return line + '\n';
}

}  // namespace

Roster read_roster(const std::string& path)
{
    std::ifstream file(path);
    if (!file) {
        throw BadConfiguration(path + ": cannot be read");
    }
    Roster roster;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        line.erase(std::find(line.begin(), line.end(), '#'), line.end());
        std::erase_if(line, [](unsigned char c) { return std::isspace(c) != 0; });
        const auto equals = line.find('=');
        const auto box = line.substr(0, equals);
        const auto org = equals == std::string::npos ? "" : line.substr(equals + 1);
        if (line.empty()) {
            continue;
        }
        if (!is_name(box) || !is_name(org) || !roster.emplace(box, org).second) {
            throw BadConfiguration(path + ':' + std::to_string(number) +
                                   ": write BOX = ORG, each box once");
        }
    }
    return roster;
}

std::string access_list(const Roster& roster, const std::string& receiver)
{
    std::string text =
        "# Written by smart-receiver roster --acl. A user is the CN of a certificate.\n"
        "user " +
        receiver + '\n';
    std::set<std::string_view> orgs;
    for (const auto& [box, org] : roster) {
        orgs.insert(org);
    }
    for (const auto& org : orgs) {
        for (const auto* kind : box_writes) {
            text += rule("read", org, kind, std::string_view(kind) == "dict" ? "+/+" : "+");
        }
        for (const auto* kind : box_reads) {
            text += rule("write", org, kind, "+");
        }
    }
    for (const auto& [box, org] : roster) {
        text += "\nuser " + box + '\n';
        for (const auto* kind : box_writes) {
            text += rule("write", org, kind, std::string_view(kind) == "dict" ? box + "/+" : box);
        }
        for (const auto* kind : box_reads) {
            text += rule("read", org, kind, box);
        }
        text += rule("read", org, "state", box);  // whether another one is online in its name
        text += "topic read ss1/catalogue\ntopic read ss1/profile/+\n";
    }
    return text;
}

}  // namespace gateway
