#include "tests/support/platform.hpp"

#include "gateway/store/batch.hpp"

#include <mosquitto.h>

#include <stdexcept>
#include <utility>

namespace gateway::test {

Platform::Platform(std::uint16_t port, std::string org, std::string box)
    : prefix_("ss1/" + std::move(org) + "/"), box_(std::move(box)), port_(port)
{
    mosquitto_lib_init();
    client_ = mosquitto_new(nullptr, true, this);
    mosquitto_max_inflight_messages_set(client_, 0);
    mosquitto_message_callback_set(client_,
                                   [](mosquitto*, void* self, const mosquitto_message* message) {
                                       static_cast<Platform*>(self)->received(*message);
                                   });
    if (mosquitto_connect(client_, "127.0.0.1", port_, 60) != MOSQ_ERR_SUCCESS) {
        throw std::runtime_error("the platform cannot connect");
    }
    mosquitto_subscribe(client_, nullptr, (prefix_ + "#").c_str(), 1);
    connected_ = true;
}

Platform::~Platform()
{
    mosquitto_destroy(client_);
    mosquitto_lib_cleanup();
}

void Platform::pump()
{
    if (!connected_) {
        if (mosquitto_reconnect(client_) != MOSQ_ERR_SUCCESS) {
            return;
        }
        connected_ = true;
        mosquitto_subscribe(client_, nullptr, (prefix_ + "#").c_str(), 1);
        send_receipt(true);
    }
    connected_ = mosquitto_loop(client_, 0, 1) == MOSQ_ERR_SUCCESS;
    if (std::exchange(news_, false) && receipts) {
        send_receipt();
    }
}

void Platform::received(const mosquitto_message& message)
{
    const std::string topic = message.topic;
    const auto kind =
        topic.substr(prefix_.size(), topic.find('/', prefix_.size()) - prefix_.size());
    const auto* data = static_cast<const std::uint8_t*>(message.payload);
    const ByteView bytes(data, static_cast<std::size_t>(message.payloadlen));
    if (kind == "dict") {
        ++dictionary_messages_;
        const auto hash = topic.substr(topic.rfind('/') + 1);
        if (bytes.empty()) {
            dictionaries_.erase(hash);
        } else {
            dictionaries_.insert(hash);
        }
    } else if (kind == "alarm" || kind == "control" || kind == "data" || kind == "history") {
        batch(kind, bytes);
    } else if (kind != "receipt" && kind != "cmd") {
        texts_[kind].emplace_back(bytes.begin(), bytes.end());
        news_ = news_ || kind == "birth";
    }
}

void Platform::batch(const std::string& kind, ByteView bytes)
{
    const auto decoded = decode(bytes);
    if (!decoded) {
        throw std::runtime_error("the box sent what is no batch");
    }
    const auto& header = decoded->header;
    for (const auto& dictionary : header.dictionaries) {
        dictionary_missed_ =
            dictionary_missed_ || !dictionaries_.contains(hash_hex(dictionary.hash));
    }
    const Range range{header.first, header.first + decoded->count() - 1};
    const Arrival arrival{kind, header.epoch, header.lane, range,
                          std::holds_alternative<Tombstone>(decoded->content)};
    arrivals_.push_back(arrival);
    if (!commits || (keeps && !keeps(arrival))) {
        return;
    }
    auto& held = committed_[header.epoch][index_of(header.lane)];
    duplicates_ += held.contains(range) ? 1U : 0U;
    held.add(range);
    const auto key = header.epoch.hex() + std::string(to_string(header.lane)) +
                     std::to_string(range.first) + "-" + std::to_string(range.last);
    const auto digest =
        dictionary_hash({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    contradicted_ = contradicted_ || contents_.emplace(key, digest).first->second != digest;
    news_ = true;
}

void Platform::send_receipt(bool hello, const std::vector<std::string>& need)
{
    json::object epochs;
    for (const auto& [epoch, lanes] : committed_) {
        json::object object;
        for (const auto lane : all_lanes) {
            json::array ranges;
            for (const auto& range : lanes[index_of(lane)].ranges()) {
                if (ranges.size() < 64) {
                    ranges.push_back(json::array{range.first, range.last});
                }
            }
            if (!ranges.empty()) {
                object[to_string(lane)] = std::move(ranges);
            }
        }
        epochs[epoch.hex()] = std::move(object);
    }
    json::object receipt;
    receipt["schema"] = "smartstate.receipt/1";
    receipt["receiver"] = "receiver-1";
    receipt["box"] = box_;
    receipt["hello"] = hello;
    receipt["epochs"] = std::move(epochs);
    receipt["need"] = json::array(need.begin(), need.end());
    publish("receipt", json::serialize(receipt));
}

void Platform::publish(const std::string& kind, const std::string& text)
{
    const auto topic = prefix_ + kind + "/" + box_;
    mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(text.size()), text.data(),
                      1, false);
}

RangeSet Platform::committed(const EpochId& epoch, Lane lane) const
{
    const auto found = committed_.find(epoch);
    return found == committed_.end() ? RangeSet() : found->second[index_of(lane)];
}

std::string Platform::last(const std::string& kind) const
{
    const auto found = texts_.find(kind);
    return found == texts_.end() ? "" : found->second.back();
}

std::size_t Platform::count(const std::string& kind) const
{
    const auto found = texts_.find(kind);
    return found == texts_.end() ? 0 : found->second.size();
}

}  // namespace gateway::test
