#include "gateway/uplink/receipt.hpp"

#include <utility>

namespace gateway {

namespace {

std::optional<std::uint64_t> sequence(const json::value& value)
{
    if (value.is_uint64()) {
        return value.as_uint64();
    }
    if (value.is_int64() && value.as_int64() > 0) {
        return static_cast<std::uint64_t>(value.as_int64());
    }
    return std::nullopt;
}

std::optional<PerLane<std::vector<Range>>> lanes(const json::value& value)
{
    if (!value.is_object()) {
        return std::nullopt;
    }
    PerLane<std::vector<Range>> found;
    for (const auto& [name, item] : value.as_object()) {
        auto held = parse_ranges(item);
        if (!held) {
            return std::nullopt;
        }
        if (const auto lane = lane_from(std::string_view(name.data(), name.size()))) {
            found[index_of(*lane)] = std::move(*held);
        }
    }
    return found;
}

bool read_epochs(const json::object& object, Receipt& receipt)
{
    const auto* epochs = object.if_contains("epochs");
    if (!epochs) {
        return true;
    }
    if (!epochs->is_object()) {
        return false;
    }
    for (const auto& [name, value] : epochs->as_object()) {
        const auto id = EpochId::from_hex(std::string_view(name.data(), name.size()));
        auto held = lanes(value);
        if (!id || !held) {
            return false;
        }
        receipt.epochs.insert_or_assign(*id, std::move(*held));
    }
    return true;
}

bool read_needs(const json::object& object, Receipt& receipt)
{
    const auto* need = object.if_contains("need");
    if (!need) {
        return true;
    }
    if (!need->is_array() || need->as_array().size() > most_needs) {
        return false;
    }
    for (const auto& item : need->as_array()) {
        const auto hash = item.is_string() ? hash_from_hex(item.as_string().c_str())
                                           : std::optional<DictionaryHash>();
        if (!hash) {
            return false;
        }
        receipt.need.push_back(*hash);
    }
    return true;
}

}  // namespace

std::optional<std::vector<Range>> parse_ranges(const json::value& value, std::size_t most)
{
    if (!value.is_array() || value.as_array().size() > most) {
        return std::nullopt;
    }
    std::vector<Range> found;
    for (const auto& item : value.as_array()) {
        if (!item.is_array() || item.as_array().size() != 2) {
            return std::nullopt;
        }
        const auto first = sequence(item.as_array()[0]);
        const auto last = sequence(item.as_array()[1]);
        if (!first || !last || *first > *last || (!found.empty() && *first <= found.back().last)) {
            return std::nullopt;
        }
        found.push_back({*first, *last});
    }
    return found;
}

Result<Receipt> parse_receipt(std::string_view text)
{
    const auto parsed = parse_json(text, most_receipt_bytes);
    if (!parsed) {
        return parsed.error();
    }
    if (!parsed->is_object()) {
        return Fault::malformed;
    }
    const auto& object = parsed->as_object();
    Receipt receipt;
    receipt.receiver = text_of(object, "receiver");
    receipt.box = text_of(object, "box");
    if (const auto* hello = object.if_contains("hello")) {
        receipt.hello = hello->is_bool() && hello->as_bool();
    }
    if (text_of(object, "schema") != "smartstate.receipt/1" || !read_epochs(object, receipt) ||
        !read_needs(object, receipt)) {
        return Fault::malformed;
    }
    return receipt;
}

}  // namespace gateway
