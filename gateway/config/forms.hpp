#pragma once

#include "gateway/config/rule.hpp"

#include <array>

namespace gateway::rules {

/// The keys of one table.
template <typename... R>
constexpr auto keys(R... rule)
{
    return std::array<Rule, sizeof...(R)>{rule...};
}
/// The tables that one key may take.
template <typename... F>
constexpr auto forms(const F&... form)
{
    return std::array<Form, sizeof...(F)>{Form(form)...};
}

}  // namespace gateway::rules
