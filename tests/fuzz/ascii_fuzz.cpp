#include "drivers/ascii/codec.hpp"

#include "drivers/ascii/device_time.hpp"
#include "drivers/ascii/frames.hpp"

#include <array>
#include <cstdlib>
#include <string_view>

namespace {

using namespace gateway;
using namespace gateway::ascii;

constexpr std::size_t longest = 64;

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

Grammar grammar_of(unsigned choice)
{
    Grammar grammar{.start = (choice & 1U) != 0 ? "$" : "",
                    .end = (choice & 2U) != 0 ? "\x03" : ""};
    grammar.longest = longest;
    grammar.separator = (choice & 4U) != 0 ? " " : ",";
    grammar.decimal = (choice & 8U) != 0 ? ',' : '.';
    grammar.checksum = static_cast<Checksum>(choice / 16 % 10);
    grammar.checksum_required = choice / 160 % 2 == 0;
    if (grammar.checksum != Checksum::none) {
        grammar.checked = usual_place(grammar.checksum, grammar.start);
    }
    static const Pattern marker("#|/+");
    grammar.invalid = {marker};
    return grammar;
}

std::array<Source, 5> sources_of(unsigned choice)
{
    static const Pattern number("([-+0-9.,]+)([A-Za-z]*)");
    std::array<Source, 5> sources;
    for (auto& source : sources) {
        source.type = static_cast<TextType>(choice % 4);
    }
    sources[0].field = choice % 7;
    sources[1].form = Source::Form::key;
    sources[1].key = "Dn";
    sources[2].form = Source::Form::column;
    sources[2].column = choice % 11;
    sources[2].width = 1 + choice % 5;
    sources[3].form = Source::Form::match;
    sources[3].match = number;
    sources[3].group = 1;
    sources[3].unit_group = 2;
    sources[4] = sources[1];
    sources[4].unit = true;
    return sources;
}

}  // namespace

/// Two bytes choose how the device writes, the rest is what it sent.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) {
        return 0;
    }
    const unsigned choice = static_cast<unsigned>(data[0]) << 8 | data[1];
    const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);  // NOLINT
    const auto grammar = grammar_of(choice);
    const auto sources = sources_of(choice);
    Frames frames(grammar.start, grammar.end, grammar.longest);
    frames.clear(choice % 3 == 0);
    const auto chunk = 1 + choice % 23;
    for (std::size_t at = 0; at < text.size(); at += chunk) {
        frames.add(text.substr(at, chunk));
        while (const auto line = frames.next()) {
            if (!*line) {
                continue;
            }
            expect(!(*line)->empty() && (*line)->size() <= longest);
            const auto body = body_of(grammar, **line);
            for (const auto& source : sources) {
                const auto sample = body ? sample_in(source, grammar, *body) : std::nullopt;
                expect(!sample || (sample->quality == Quality::good) == !sample->raw.is_none());
            }
            static_cast<void>(parse_time(body ? *body : **line, "%Y-%m-%d %H:%M:%S", {}));
        }
        expect(frames.pending() <= longest + chunk + 1);
    }
    return 0;
}
