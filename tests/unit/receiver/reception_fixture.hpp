#pragma once

#include "gateway/core/digest.hpp"
#include "gateway/receiver/reception.hpp"
#include "tests/support/broker.hpp"
#include "tests/unit/receiver/fixtures.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gateway::test {

inline mqtt::Message message(const std::string& kind, std::string_view payload,
                             bool retained = false)
{
    return {"ss1/" + org + '/' + kind, Bytes(payload.begin(), payload.end()), retained};
}

inline mqtt::Message batch(Bytes bytes, const std::string& kind = "data")
{
    return {"ss1/" + org + '/' + kind + '/' + box, std::move(bytes), false};
}

inline mqtt::Message dictionary(bool retained = true)
{
    const auto text = dictionary_text();
    return message("dict/" + box + '/' + hash_hex(dictionary_hash(text)), text, retained);
}

inline Bytes readings(std::uint64_t first, std::size_t count, std::int64_t start = -1)
{
    // The content of a sequence is always the same unless a test wants another.
    const auto value = start == -1 ? static_cast<std::int64_t>(first) : start;
    return encode(header(first), ramp(count, value));
}

inline Bytes tombstone(std::uint64_t first, std::uint64_t count,
                       LossReason reason = LossReason::evicted)
{
    return encode(header(first), Tombstone{.count = count,
                                           .reason = reason,
                                           .first_time = BootTime(std::chrono::milliseconds(1'000)),
                                           .last_time = std::nullopt,
                                           .counts = {}});
}

struct Span {
    std::uint64_t first_held, head;
};

/// A birth of epochs with one lane, telemetry.
inline mqtt::Message birth(const std::map<EpochId, Span>& epochs, const EpochId& current,
                           bool retained = true, const std::string& receiver = "receiver-1")
{
    std::string listed;
    for (const auto& [id, span] : epochs) {
        listed += (listed.empty() ? "\"" : ",\"") + id.hex() + R"(":{"closed":)" +
                  (id == current ? "false" : "true") + R"(,"boot":")" + boot.hex() +
                  R"(","lanes":{"telemetry":{"first_held":)" + std::to_string(span.first_held) +
                  R"(,"head":)" + std::to_string(span.head) + "}}}";
    }
    return message("birth/" + box,
                   R"({"schema":"smartstate.birth/1","box":")" + box + R"(","org":")" + org +
                       R"(","epoch":")" + current.hex() + R"(","receiver":")" + receiver +
                       R"(","epochs":{)" + listed + "}}",
                   retained);
}

inline mqtt::Message manifest(std::uint64_t head, std::uint64_t count, std::uint64_t sum,
                              std::uint64_t tombstoned = 0)
{
    return message("manifest/" + box,
                   R"({"schema":"smartstate.manifest/1","box":")" + box + R"(","epochs":{")" +
                       epoch.hex() + R"(":{"telemetry":{"head":)" + std::to_string(head) +
                       R"(,"count":)" + std::to_string(count) + R"(,"sum":")" + hash_hex(sum) +
                       R"(","tombstoned":)" + std::to_string(tombstoned) + R"(,"queued":5}}}})");
}

/// The mix of a reading that `readings(sequence, …)` makes, `at` places after its batch's first.
inline std::uint64_t mix_of(std::uint64_t first, std::uint64_t sequence)
{
    const auto made = ramp(sequence - first + 1, static_cast<std::int64_t>(first));
    return mix(sequence, made.back());
}

/// A reception on a real file and a real state, and what comes out of it.
class ReceptionTest : public testing::Test {
protected:
    ReceptionTest() { restart(); }

    void restart(const ReceptionSettings& more = {})
    {
        reception.reset();
        auto settings = more;
        settings.out = file();
        settings.state = folder.path() / "state";
        reception = std::make_unique<Reception>(settings);
    }
    std::string file() const { return folder.path() / "out.jsonl"; }
    /// What the box hears, two seconds after what it heard before.
    std::vector<Outgoing> take(const std::vector<mqtt::Message>& messages)
    {
        now += std::chrono::seconds(2);
        return reception->take(messages, now);
    }
    std::string bytes() const
    {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::vector<json::object> lines(std::string_view kind = "reading") const
    {
        std::vector<json::object> found;
        std::ifstream in(file());
        for (std::string line; std::getline(in, line);) {
            auto parsed = json::parse(line).as_object();
            if (text_of(parsed, "line") == kind) {
                found.push_back(std::move(parsed));
            }
        }
        return found;
    }
    /// The sequences of telemetry in the file's order.
    std::vector<std::uint64_t> sequences() const
    {
        std::vector<std::uint64_t> found;
        for (const auto& line : lines()) {
            found.push_back(line.at("seq").to_number<std::uint64_t>());
        }
        return found;
    }
    static std::vector<std::uint64_t> counting(std::uint64_t first, std::uint64_t last)
    {
        std::vector<std::uint64_t> numbers;
        for (; first <= last; ++first) {
            numbers.push_back(first);
        }
        return numbers;
    }
    LaneVerdict verdict()
    {
        const auto report = reception->report();
        return report.empty() ? LaneVerdict{} : report.front().verdict;
    }

    TemporaryFolder folder;
    std::unique_ptr<Reception> reception;
    Receipts::Time now;
};

}  // namespace gateway::test
