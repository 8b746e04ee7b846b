#pragma once

#include "gateway/core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::json_text {

enum class NodeType : std::uint8_t { null, flag, number, text, array, object };

/// One value of a document. What it holds follows it; `end` is the first node that is not in it.
struct Node {
    NodeType type = NodeType::null;
    bool truth = false;  ///< of a flag
    std::uint32_t key_at = 0, key_size = 0;
    std::uint32_t at = 0, size = 0;  ///< of a text, or of a number as it was written
    std::uint32_t end = 0;
};

struct Limits {
    std::size_t bytes = 65'536;
    std::size_t depth = 32;
    std::size_t nodes = 65'536;
};

/// What a look-up found. A key that is there twice is no answer.
struct Member {
    const Node* node = nullptr;
    bool twice = false;
};

/// JSON as a device wrote it: numbers stay texts, so that nothing is rounded, and keys that are
/// there twice stay two. It keeps its memory from one parse to the next.
class Document {
public:
    /// One value and nothing else; Fault::too_large or malformed. A byte order mark is passed over.
    Status parse(std::string_view text, const Limits& limits);
    /// A text that is not JSON: the document is that text.
    Status take_text(std::string_view text, const Limits& limits);

    /// Only after a parse that went well. Pointers hold until the next one.
    const Node& root() const { return nodes_.front(); }
    std::string_view text(const Node& node) const { return cut(node.at, node.size); }
    std::string_view key(const Node& node) const { return cut(node.key_at, node.key_size); }
    /// Of an object.
    Member member(const Node& object, std::string_view key) const;
    /// Of an array; null when it is shorter.
    const Node* element(const Node& array, std::size_t index) const;
    /// The first of what an array or object holds, and the next; null at the end.
    const Node* first(const Node& container) const;
    const Node* next(const Node& child, const Node& container) const;

private:
    struct Builder;

    std::string_view cut(std::uint32_t at, std::uint32_t size) const
    {
        return std::string_view(chars_).substr(at, size);
    }
    std::uint32_t index_of(const Node& node) const
    {
        return static_cast<std::uint32_t>(&node - nodes_.data());
    }

    std::vector<Node> nodes_;
    std::vector<std::uint32_t> open_;  // arrays and objects around what is parsed
    std::string chars_;
};

}  // namespace gateway::json_text
