#pragma once

#include "gateway/core/defect.hpp"
#include "gateway/store/stored.hpp"

#include <type_traits>
#include <vector>

namespace gateway {

/// Appends a line for each batch of readings to the descriptor that SMART_GATEWAY_DURABLE_LOG_FD
/// names: durable.log of tests/ledger. Only the instrumented program has it
/// (tests/support/durable_log.cpp).
void write_durable_log(const std::vector<StoredBatch>& rows);

/// Called when the commit of a change to the rows has returned, with what the change came to.
template <typename Result>
void tell_durable([[maybe_unused]] const Result& result)
{
    if constexpr (is_instrumented && std::is_same_v<Result, std::vector<StoredBatch>>) {
        write_durable_log(result);
    }
}

}  // namespace gateway
