#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace gateway {

/// A match, 0, and its groups, 1 and up. One that took no part is a view of nothing.
struct Groups {
    static constexpr std::size_t most = 16;
    std::array<std::string_view, most> texts;
    std::size_t count = 0;  ///< the match included; 0 when nothing was found

    explicit operator bool() const { return count > 0; }
    std::string_view operator[](std::size_t number) const
    {
        return number < count ? texts[number] : std::string_view();
    }
};

/// A compiled regular expression of RE2 over bytes of no known encoding, found anywhere in a text.
/// Copies share the program, which never changes.
class Pattern {
public:
    /// `text` compiles: the profile's schema has checked it.
    explicit Pattern(const std::string& text);

    const std::string& text() const;
    bool finds(std::string_view text) const;
    /// The whole of `text`.
    bool is(std::string_view text) const;
    /// What is found and its groups; views into `text`.
    Groups groups(std::string_view text) const;
    /// How many groups the expression has.
    std::size_t group_count() const;
    /// The number of the group `(?P<name>…)`; 0 when there is none.
    std::size_t group_named(const std::string& name) const;

private:
    std::shared_ptr<const re2::RE2> program_;
};

/// An expression that fits exactly this text.
std::string quoted(std::string_view text);

}  // namespace gateway
