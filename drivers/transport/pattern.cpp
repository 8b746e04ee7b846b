#include "drivers/transport/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace gateway {

namespace {

re2::StringPiece piece(std::string_view text)
{
    return {text.data(), text.size()};
}

RE2::Options options()
{
    RE2::Options options(RE2::Quiet);
    options.set_encoding(RE2::Options::EncodingLatin1);
    return options;
}

}  // namespace

Pattern::Pattern(const std::string& text) : program_(std::make_shared<const RE2>(text, options()))
{
}

const std::string& Pattern::text() const
{
    return program_->pattern();
}

bool Pattern::finds(std::string_view text) const
{
    return RE2::PartialMatch(piece(text), *program_);
}

bool Pattern::is(std::string_view text) const
{
    return RE2::FullMatch(piece(text), *program_);
}

Groups Pattern::groups(std::string_view text) const
{
    std::array<re2::StringPiece, Groups::most> found;
    const auto count = std::min(group_count() + 1, Groups::most);
    Groups groups;
    if (!program_->Match(piece(text), 0, text.size(), RE2::UNANCHORED, found.data(),
                         static_cast<int>(count))) {
        return groups;
    }
    groups.count = count;
    for (std::size_t i = 0; i < count; ++i) {
        if (found[i].data() != nullptr) {
            groups.texts[i] = {found[i].data(), found[i].size()};
        }
    }
    return groups;
}

std::size_t Pattern::group_count() const
{
    return static_cast<std::size_t>(std::max(program_->NumberOfCapturingGroups(), 0));
}

std::size_t Pattern::group_named(const std::string& name) const
{
    const auto& named = program_->NamedCapturingGroups();
    const auto at = named.find(name);
    return at == named.end() ? 0 : static_cast<std::size_t>(at->second);
}

std::string quoted(std::string_view text)
{
    return RE2::QuoteMeta(piece(text));
}

}  // namespace gateway
