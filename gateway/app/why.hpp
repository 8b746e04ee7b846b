#pragma once

#include "gateway/acquire/exchange_log.hpp"
#include "gateway/app/status.hpp"

namespace gateway {

/// What `why DEVICE` answers: `verdict`, `means` and `try` of the last cause, `facts` and `points`
/// (as laid out for people), and the last `exchanges` with their bytes, oldest first.
json::object why_json(const BoxView& box, const DeviceView& device, const ExchangeLog& exchanges);

}  // namespace gateway
