#include "drivers/mqtt_json/driver.hpp"

#include "drivers/mqtt_json/topic.hpp"
#include "gateway/runtime/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

namespace gateway::mqtt_json {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_topics = 256;  // of which the last message is remembered

}  // namespace

MqttDriver::MqttDriver(asio::any_io_executor executor, std::shared_ptr<Broker> broker, Clock& clock,
                       json_text::DeviceMap map, std::vector<bool> required, Duration silence)
    : broker_(std::move(broker)),
      clock_(clock),
      map_(std::move(map)),
      body_(map_),
      freshness_(map_.sources.size()),
      required_(std::move(required)),
      all_identity_(map_.identity.size()),
      identity_(map_.identity.size()),
      silence_(silence),
      arrived_(executor, asio::steady_timer::time_point::max())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
    broker_->add(*this);
}

MqttDriver::~MqttDriver()
{
    broker_->remove(*this);
}

asio::awaitable<Result<Samples>> MqttDriver::read(PointSet due)
{
    for (;;) {
        while (!waiting_.empty()) {
            const auto message = std::move(waiting_.front());
            waiting_.pop_front();
            auto samples = take(message, due);
            if (!samples.empty()) {
                co_return samples;
            }
        }
        const auto attended = co_await broker_->attend(map_.sources, !attended_);
        if (!attended) {
            co_return attended.error();
        }
        attended_ = true;
        if (!waiting_.empty()) {
            continue;
        }
        arrived_.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code woken;
        co_await arrived_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(woken);
        }
    }
}

asio::awaitable<Result<Identity>> MqttDriver::identify()
{
    bool enough = false;
    for (std::size_t i = 0; i < identity_.size(); ++i) {
        if (required_[i] && !identity_[i]) {
            co_return Fault::not_found;
        }
        enough = enough || identity_[i];
    }
    co_return enough ? Result<Identity>(identity_) : Result<Identity>(Fault::not_found);
}

void MqttDriver::hear(const mqtt::Message& message)
{
    const auto mine = [&message](const std::string& filter) {
        return matches(filter, message.topic);
    };
    if (std::none_of(map_.sources.begin(), map_.sources.end(), mine)) {
        return;
    }
    const std::string_view payload(reinterpret_cast<const char*>(message.payload.data()),
                                   message.payload.size());
    if (said_.size() == most_topics) {
        said_.clear();
    }
    const auto hash = std::hash<std::string_view>()(payload);
    if (std::exchange(said_[message.topic], hash) == hash && message.retained) {
        return;  // said once more to whoever subscribed now
    }
    if (waiting_.size() == most_waiting) {
        waiting_.pop_front();
        if (dropped_++ == 0) {
            log(LogLevel::warning, "A device says more than can be kept; the oldest is dropped",
                {{"topic", map_.main}});
        }
    }
    waiting_.push_back(message);
    arrived_.cancel();
}

Samples MqttDriver::take(const mqtt::Message& message, PointSet rows)
{
    Samples samples;
    const auto sources = static_cast<std::uint16_t>(map_.sources.size());
    for (std::uint16_t source = 0; source < sources; ++source) {
        if (matches(map_.sources[source], message.topic)) {
            take_of(source, message, rows, samples);
        }
    }
    return samples;
}

void MqttDriver::take_of(std::uint16_t source, const mqtt::Message& message, PointSet rows,
                         Samples& samples)
{
    const std::string_view text(reinterpret_cast<const char*>(message.payload.data()),
                                message.payload.size());
    if (!body_.take(text, source)) {
        for (const auto row : rows) {
            if (map_.points[row].source == source) {
                samples.push_back(
                    {.row = row, .quality = Quality::comm_error, .cause = Cause::unexpected_reply});
            }
        }
        return;
    }
    if (!body_.counts()) {
        return;
    }
    Samples told;
    body_.collect(map_.identity, all_identity_, told, true);
    for (auto& sample : told) {
        if (!sample.raw.is_none()) {
            identity_[sample.row] = std::move(sample.raw);
        }
    }
    Samples brought;
    body_.collect(map_.points, rows, brought, true);
    const auto wall = clock_.wall();
    const auto limit = map_.age ? map_.age->stale : std::nullopt;
    freshness_[source].mark(brought, body_.time(wall), limit, wall, clock_.now(), message.retained);
    std::move(brought.begin(), brought.end(), std::back_inserter(samples));
}

}  // namespace gateway::mqtt_json
