#include "drivers/json/document.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace gateway::json_text {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

/// What the parser calls. Boost's own numbers are not used: 1.81 does not round them to nearest.
struct Document::Builder {
    using Code = boost::json::error_code;
    using View = boost::json::string_view;

    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    Document& document;
    std::size_t most_nodes;
    std::uint32_t key_at = 0, key_size = 0;
    std::uint32_t started = 0;  // where the text or number under way begins
    bool under_way = false;
    bool too_large = false;

    Builder(Document& into, std::size_t limit) : document(into), most_nodes(limit) {}

    bool add(NodeType type, Code& code, bool truth = false)
    {
        if (document.nodes_.size() >= most_nodes) {
            too_large = true;
            code = boost::json::error::array_too_large;
            return false;
        }
        const auto end = static_cast<std::uint32_t>(document.nodes_.size() + 1);
        document.nodes_.push_back({.type = type,
                                   .truth = truth,
                                   .key_at = key_at,
                                   .key_size = key_size,
                                   .at = started,
                                   .size = size_so_far(),
                                   .end = end});
        key_at = key_size = 0;
        under_way = false;
        return true;
    }
    bool open(NodeType type, Code& code)
    {
        document.open_.push_back(static_cast<std::uint32_t>(document.nodes_.size()));
        return add(type, code);
    }
    bool close()
    {
        document.nodes_[document.open_.back()].end =
            static_cast<std::uint32_t>(document.nodes_.size());
        document.open_.pop_back();
        return true;
    }
    bool part(View characters)
    {
        if (!under_way) {
            started = static_cast<std::uint32_t>(document.chars_.size());
            under_way = true;
        }
        document.chars_.append(characters.data(), characters.size());
        return true;
    }
    std::uint32_t size_so_far() const
    {
        return under_way ? static_cast<std::uint32_t>(document.chars_.size()) - started : 0;
    }

    static bool on_document_begin(Code&) { return true; }
    static bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code& code) { return open(NodeType::object, code); }
    bool on_object_end(std::size_t, Code&) { return close(); }
    bool on_array_begin(Code& code) { return open(NodeType::array, code); }
    bool on_array_end(std::size_t, Code&) { return close(); }
    bool on_key_part(View characters, std::size_t, Code&) { return part(characters); }
    bool on_key(View characters, std::size_t, Code&)
    {
        part(characters);
        key_at = started;
        key_size = size_so_far();
        under_way = false;
        return true;
    }
    bool on_string_part(View characters, std::size_t, Code&) { return part(characters); }
    bool on_string(View characters, std::size_t, Code& code)
    {
        return part(characters) && add(NodeType::text, code);
    }
    bool on_number_part(View characters, Code&) { return part(characters); }
    bool on_int64(std::int64_t, View characters, Code& code) { return number(characters, code); }
    bool on_uint64(std::uint64_t, View characters, Code& code) { return number(characters, code); }
    bool on_double(double, View characters, Code& code) { return number(characters, code); }
    bool number(View characters, Code& code)
    {
        return part(characters) && add(NodeType::number, code);
    }
    bool on_bool(bool truth, Code& code) { return add(NodeType::flag, code, truth); }
    bool on_null(Code& code) { return add(NodeType::null, code); }
    static bool on_comment_part(View, Code&) { return true; }
    static bool on_comment(View, Code&) { return true; }
};

Status Document::parse(std::string_view text, const Limits& limits)
{
    nodes_.clear();
    open_.clear();
    chars_.clear();
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    if (text.size() > limits.bytes) {
        return Fault::too_large;
    }
    boost::json::parse_options options;
    options.max_depth = limits.depth;
    boost::json::basic_parser<Builder> parser(options, *this, limits.nodes);
    Builder::Code code;
    const auto used = parser.write_some(false, text.data(), text.size(), code);
    if (code || used < text.size() || nodes_.empty()) {
        return parser.handler().too_large ? Fault::too_large : Fault::malformed;
    }
    return {};
}

Status Document::take_text(std::string_view text, const Limits& limits)
{
    if (text.size() > limits.bytes) {
        return Fault::too_large;
    }
    nodes_.clear();
    chars_.assign(text);
    nodes_.push_back(
        {.type = NodeType::text, .size = static_cast<std::uint32_t>(text.size()), .end = 1});
    return {};
}

Member Document::member(const Node& object, std::string_view key) const
{
    Member found;
    for (const auto* child = first(object); child != nullptr; child = next(*child, object)) {
        if (this->key(*child) == key) {
            found.twice = found.node != nullptr;
            found.node = child;
        }
        if (found.twice) {
            break;
        }
    }
    return found;
}

const Node* Document::element(const Node& array, std::size_t index) const
{
    const auto* child = first(array);
    for (; child != nullptr && index > 0; --index) {
        child = next(*child, array);
    }
    return child;
}

const Node* Document::first(const Node& container) const
{
    const auto index = index_of(container);
    return index + 1 < container.end ? &nodes_[index + 1] : nullptr;
}

const Node* Document::next(const Node& child, const Node& container) const
{
    return child.end < container.end ? &nodes_[child.end] : nullptr;
}

}  // namespace gateway::json_text
