#include "gateway/acquire/exchange_log.hpp"

#include <algorithm>

namespace gateway {

namespace {

template <std::size_t most>
void keep(ExchangeLog::Begin<most>& begin, ByteView bytes)
{
    begin.size = bytes.size();
    std::copy_n(bytes.begin(), std::min(bytes.size(), most), begin.bytes.begin());
}

}  // namespace

void ExchangeLog::add(Exchange exchange, ByteView sent, ByteView received)
{
    keep(exchange.sent, sent);
    keep(exchange.received, received);
    auto& slot = ring_[count_++ % most_exchanges];
    slot = exchange;
    if (slot.error || slot.refusal != 0) {
        failure_ = slot;
        failure_count_ = count_;
    }
}

void ExchangeLog::visit(const std::function<void(const Exchange&)>& with) const
{
    const auto first = count_ - std::min(count_, most_exchanges);
    if (failure_count_ > 0 && failure_count_ <= first) {
        with(failure_);
    }
    for (auto i = first; i < count_; ++i) {
        with(ring_[i % most_exchanges]);
    }
}

}  // namespace gateway
