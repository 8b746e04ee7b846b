#pragma once

#include "drivers/json/body.hpp"
#include "drivers/mqtt_json/broker.hpp"
#include "gateway/acquire/driver.hpp"
#include "gateway/runtime/clock.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace gateway::mqtt_json {

/// A device that publishes JSON at a broker. Every message becomes the samples of its own, in the
/// order of their arrival and with the device's time; what comes between two reads waits, up to
/// `most_waiting` messages.
class MqttDriver final : public Driver, private Listener {
public:
    static constexpr std::size_t most_waiting = 1'000;

    /// `required`: which of the map's identity the device has to say. `silence`: the longest that
    /// is usual.
    MqttDriver(boost::asio::any_io_executor executor, std::shared_ptr<Broker> broker, Clock& clock,
               json_text::DeviceMap map, std::vector<bool> required, Duration silence);
    ~MqttDriver() override;

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;
    std::optional<Duration> may_be_silent() const override { return silence_; }

private:
    void hear(const mqtt::Message& message) override;
    void lost() override { arrived_.cancel(); }
    /// What a message says of the rows; empty when it speaks of none.
    Samples take(const mqtt::Message& message, PointSet rows);
    void take_of(std::uint16_t source, const mqtt::Message& message, PointSet rows,
                 Samples& samples);

    std::shared_ptr<Broker> broker_;  // shared by the devices behind it
    Clock& clock_;
    json_text::DeviceMap map_;
    json_text::Body body_;
    std::vector<json_text::Freshness> freshness_;  // by source
    std::vector<bool> required_;
    std::vector<std::uint16_t> all_identity_;
    Identity identity_;  // heard so far
    Duration silence_;
    bool attended_ = false;
    std::map<std::string, std::size_t> said_;  // the hash of the last message, by topic
    std::deque<mqtt::Message> waiting_;
    std::uint64_t dropped_ = 0;
    boost::asio::steady_timer arrived_;  // cancelled when something has
};

}  // namespace gateway::mqtt_json
