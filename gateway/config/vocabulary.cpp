#include "gateway/config/vocabulary.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/reader.hpp"
#include "gateway/config/toml.hpp"

#include <cstdlib>
#include <filesystem>

namespace gateway {

namespace {

Vocabulary::Terms load_terms(const std::string& file, std::string_view section, Mistakes& mistakes)
{
    Vocabulary::Terms terms;
    const auto text = read_file(file, longest_document);
    if (!text) {
        mistakes.add({file}, {}, "cannot be read: " + text.error().message());
        return terms;
    }
    const auto root = parse_toml(*text, file, mistakes);
    if (!root) {
        return terms;
    }
    Table document(*root, {file, 1, 1}, {}, mistakes);
    document.need(section).table([&](Table& names) {
        for (const auto& [name, setting] : names.settings()) {
            auto& term = terms[name];
            names[name].table([&term](Table& keys) {
                keys.need("title").text(term.title);
                keys.need("dimension").text(term.dimension, name_format);
                keys["factor"].fraction(term.factor);
                keys["offset"].fraction(term.offset);
                keys["symbol"];  // for people and for UCUM readers
                keys["ucum"];
            });
        }
    });
    return terms;
}

}  // namespace

std::string schemas_folder()
{
    // Read once at start, before there is a second thread.
    if (const char* given =
            std::getenv("SMART_GATEWAY_SCHEMAS")) {  // NOLINT(concurrency-mt-unsafe): see above
        return given;
    }
    std::error_code ignored;
    return std::filesystem::exists(GATEWAY_SCHEMAS_DIR "/units.toml", ignored)
               ? GATEWAY_SCHEMAS_DIR
               : GATEWAY_SOURCE_SCHEMAS_DIR;
}

Vocabulary load_vocabulary(const std::string& folder, Mistakes& mistakes)
{
    return {.quantities = load_terms(folder + "/quantities.toml", "quantity", mistakes),
            .units = load_terms(folder + "/units.toml", "unit", mistakes)};
}

}  // namespace gateway
