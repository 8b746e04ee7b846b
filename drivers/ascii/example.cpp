#include "drivers/ascii/example.hpp"

#include "drivers/ascii/frames.hpp"
#include "drivers/ascii/hearing.hpp"
#include "gateway/acquire/example.hpp"

#include <numeric>

namespace gateway::ascii {

namespace {

/// As the device sends it: an example may leave the end out.
std::string with_end(std::string line, const std::string& end)
{
    const auto wanted = end.empty() ? std::string("\r\n") : end;
    return line.ends_with(wanted) ? line : line + wanted;
}

Samples samples_of(const Example& example, const LineMap& map, const std::string& address)
{
    std::vector<std::uint16_t> rows(map.points.size());
    std::iota(rows.begin(), rows.end(), std::uint16_t{0});
    auto samples = failures(rows);
    Hearing hearing(map, map.points, samples);
    const auto request =
        request_bytes(map.grammar, get(example.raw, "request", std::string()), address);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const bool asked = request.empty() || map.settings.talking ||
                           map.requests[map.request_of_point[row]] == request;
        if (asked) {
            hearing.want(row);
        }
    }
    Frames frames(map.grammar.start, map.grammar.end, map.grammar.longest);
    for (const auto& line : get(example.raw, "lines", SettingList{})) {
        frames.add(with_end(std::get<std::string>(line.value), map.grammar.end));
        while (const auto next = frames.next()) {
            if (*next) {
                hearing.take(**next);
            }
        }
    }
    return samples;
}

}  // namespace

std::vector<std::string> run_examples(const Profile& profile)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        Mistakes mistakes;
        const auto address = get(example.raw, "address", std::string(usual_address));
        const auto map = read_map(profile, address, mistakes);
        if (!mistakes.empty()) {
            return mistakes.lines();
        }
        const auto own = differences_from(example, profile, samples_of(example, map, address));
        differences.insert(differences.end(), own.begin(), own.end());
    }
    return differences;
}

}  // namespace gateway::ascii
