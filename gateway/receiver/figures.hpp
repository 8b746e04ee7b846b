#pragma once

#include "gateway/metrics/page.hpp"
#include "gateway/receiver/tally.hpp"
#include "gateway/receiver/topic.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace gateway {

/// What a receiver counts for its metrics beside the Tally, since it started. Kept where the
/// Reception is.
class Figures {
public:
    using Time = std::chrono::system_clock::time_point;
    /// box -> its session
    using Online = std::map<std::string, std::string, std::less<>>;
    static constexpr std::size_t most_boxes = 4'096;

    void message(TopicKind kind) { ++messages_[static_cast<std::size_t>(kind)]; }
    void refused(RefusalKind kind) { ++refused_[static_cast<std::size_t>(kind)]; }
    void receipts(std::size_t count) { receipts_ += count; }
    /// A box said something that was accepted. When there are too many boxes, only known ones are
    /// kept.
    void heard(const std::string& box, Time now);
    /// A batch came; `opened` is when its first reading was accepted, by the clock of its box.
    void batch(TopicKind kind, std::chrono::milliseconds opened, Time now);

    void add_to(MetricsPage& page, const Online& online) const;

private:
    using Age = Histogram<6>;
    static constexpr Age no_age{.bounds = {1, 10, 60, 600, 3'600, 86'400}};

    std::array<std::uint64_t, topic_kinds.size()> messages_{};
    std::array<std::uint64_t, refusal_kinds.size()> refused_{};
    std::uint64_t receipts_ = 0, unlisted_ = 0;
    std::map<std::string, Time, std::less<>> heard_;
    Age live_age_ = no_age, history_age_ = no_age;
};

/// What the connection with the broker adds.
struct SessionFigures {
    bool connected = false;
    std::uint64_t connections = 0;
    std::uint64_t waiting_bytes = 0;  ///< of messages that arrived and are not taken yet
};

/// The page of `/metrics`; systemd/metrics.md says what each figure means.
std::string metrics_page(const Figures& figures, const Tally& tally, const Figures::Online& online,
                         const SessionFigures& session, MetricsFormat format);

}  // namespace gateway
