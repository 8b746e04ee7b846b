#include "gateway/commands/service_rows.hpp"

#include "gateway/admin/control.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/uplink/receipt.hpp"

#include <boost/algorithm/hex.hpp>

#include <iterator>
#include <utility>

namespace gateway {

namespace {

constexpr std::size_t received_ranges = 1'000;  ///< more than a store keeps for a lane

std::uint64_t number_of(const json::object& line, std::string_view key)
{
    return static_cast<std::uint64_t>(integer_of(line, key));
}

Bytes bytes_of(const json::object& line)
{
    Bytes bytes;
    try {
        boost::algorithm::unhex(text_of(line, "message"), std::back_inserter(bytes));
    } catch (const boost::algorithm::hex_decode_error&) {
        bytes.clear();  // a damaged row
    }
    return bytes;
}

}  // namespace

ServiceRows::ServiceRows(std::string socket, const json::object& about)
    : socket_(std::move(socket)),
      directory_(text_of(about, "directory")),
      size_bytes_(number_of(about, "used_bytes"))
{
}

void ServiceRows::note_books(const json::object& line)
{
    for (const auto& entry : list_of(line, "books")) {
        const auto* book = entry.if_object();
        const auto lane = book == nullptr ? std::nullopt : lane_from(text_of(*book, "lane"));
        if (!lane) {
            continue;
        }
        LaneBooks books{.head = number_of(*book, "head"), .received = {}};
        const auto* received = book->if_contains("received");
        const auto ranges =
            received == nullptr ? std::nullopt : parse_ranges(*received, received_ranges);
        for (const auto& range : ranges.value_or(std::vector<Range>())) {
            books.received.add(range);
        }
        const auto epoch_number = static_cast<std::uint32_t>(number_of(*book, "number"));
        books_[{0, epoch_number, *lane}] = std::move(books);
    }
}

void ServiceRows::visit(const std::function<void(const HeldRow&)>& with)
{
    bool ended = false;
    std::string refused;
    const auto take = [&](const json::object& line) {
        if (line.contains("message")) {
            with({0, static_cast<std::uint32_t>(number_of(line, "number")),
                  number_of(line, "first"), bytes_of(line)});
        } else if (const auto hash = hash_from_hex(text_of(line, "dictionary"))) {
            dictionaries_[*hash] = text_of(line, "text");
        }
        note_books(line);
        refused = text_of(line, "error");
        ended = line.contains("end");
        return refused.empty() && !ended;
    };
    const auto asked = ask(socket_, {{"command", "rows"}}, take);
    if (!refused.empty()) {
        throw StoreError(refused);
    }
    if (!ended) {
        throw StoreError("the service ended its answer before the last row" +
                         (asked ? std::string() : ": " + asked.error().message()));
    }
}

}  // namespace gateway
