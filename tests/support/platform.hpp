#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/json.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/ranges.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

struct mosquitto;
struct mosquitto_message;

namespace gateway::test {

/// A batch as it arrived.
struct Arrival {
    std::string kind;  ///< "data", "history", …
    EpochId epoch;
    Lane lane = Lane::telemetry;
    Range range;
    bool tombstone = false;
};

/// The platform's end of one box, on libmosquitto: takes batches, keeps what it "committed" by key,
/// and sends receipts when the test says so. Driven by pump() on the test's thread.
class Platform {
public:
    Platform(std::uint16_t port, std::string org, std::string box);
    ~Platform();
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    /// Reads and writes what there is without waiting; connects again when the broker went away,
    /// and then says hello like a receiver that starts.
    void pump();

    /// With `commits` false a batch is acknowledged to the broker and forgotten.
    bool commits = true;
    /// Called for each batch before that; false: this one is forgotten.
    std::function<bool(const Arrival&)> keeps;
    /// Receipts go out after every pump that committed something, and in answer to births.
    bool receipts = true;

    void send_receipt(bool hello = false, const std::vector<std::string>& need = {});
    /// Any bytes on the box's receipt or command topic.
    void publish(const std::string& kind, const std::string& text);

    const std::vector<Arrival>& arrivals() const { return arrivals_; }
    /// Sequences committed of one (epoch, lane).
    RangeSet committed(const EpochId& epoch, Lane lane) const;
    /// Arrivals whose range was committed already.
    std::size_t duplicates() const { return duplicates_; }
    /// The same key came with other bytes.
    bool contradicted() const { return contradicted_; }
    /// The last text on `kind`; nothing that arrived is "".
    std::string last(const std::string& kind) const;
    std::size_t count(const std::string& kind) const;
    /// Dictionaries as retained; cleared ones are gone.
    const std::set<std::string>& dictionaries() const { return dictionaries_; }
    std::size_t dictionary_messages() const { return dictionary_messages_; }
    /// A batch named a dictionary that had not arrived before it.
    bool dictionary_missed() const { return dictionary_missed_; }

private:
    void received(const mosquitto_message& message);
    void batch(const std::string& kind, ByteView bytes);

    std::string prefix_, box_;
    std::uint16_t port_;
    mosquitto* client_;
    bool connected_ = false;
    std::vector<Arrival> arrivals_;
    std::map<EpochId, PerLane<RangeSet>> committed_;
    std::map<std::string, std::uint64_t> contents_;  // key of a batch -> digest
    std::map<std::string, std::vector<std::string>> texts_;
    std::set<std::string> dictionaries_;
    std::size_t dictionary_messages_ = 0;
    std::size_t duplicates_ = 0;
    bool contradicted_ = false;
    bool dictionary_missed_ = false;
    bool news_ = false;
};

}  // namespace gateway::test
