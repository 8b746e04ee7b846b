#pragma once

#include <cstdint>

namespace gateway {

/// The mistakes that the fault campaigns are measured by (tests/faults/README.md): each can be
/// planted in the instrumented program, and in no other. The numbers are theirs: M1 to M11.
enum class Defect : std::uint8_t {
    unsynced_commit = 1,        ///< `synchronous=NORMAL`
    told_before_commit,         ///< what is not committed yet is called durable
    head_outside_transaction,   ///< sequences are given in another transaction than the rows
    freed_on_puback,            ///< the broker's acknowledgement frees rows
    tombstone_after_drop,       ///< in another transaction than the drop
    checksum_ignored,           ///< rows are sent as they are read
    wall_clock_waits,           ///< waits are measured by the wall clock
    late_answer_taken,          ///< an answer to an earlier request is taken for this one's
    sent_again_under_new_keys,  ///< after a restart
    sync_tried_again,           ///< after it has failed, in the same store
    receipt_without_epoch,      ///< its ranges are applied to the current epoch
};

#ifdef GATEWAY_INSTRUMENTED
constexpr bool is_instrumented = true;
#else
constexpr bool is_instrumented = false;
#endif

/// The one that SMART_GATEWAY_DEFECT names; only the instrumented program has it
/// (tests/support/defect.cpp).
Defect planted_defect();

/// Never, in a product.
inline bool planted([[maybe_unused]] Defect defect)
{
    if constexpr (is_instrumented) {
        return planted_defect() == defect;
    }
    return false;
}

}  // namespace gateway
