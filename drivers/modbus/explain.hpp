#pragma once

#include "drivers/modbus/plan.hpp"
#include "gateway/acquire/exchange_log.hpp"
#include "gateway/config/profile.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::modbus {

/// What a unit means by an exception: "illegal data address: it has not all of these registers".
std::string_view exception_text(std::uint8_t code);

/// What was asked, with the points of the profile that lie there: "asks unit 1 for holding 3027 to
/// 3028: voltage_l1_n". `locations` are the points', by row; none: they are not named.
std::string explain_request(const ExchangeLog::Exchange& exchange, const Profile& profile,
                            std::span<const Location> locations);
/// What came of it.
std::string explain_answer(const ExchangeLog::Exchange& exchange);

}  // namespace gateway::modbus
