#pragma once

#include <cstdint>
#include <vector>

namespace gateway {

/// The word and the wide word before, of each alias of a batch; both begin at 0. An open-addressing
/// table, since it is asked once per reading.
class AliasRegisters {
public:
    struct Register {
        std::uint64_t wide = 0;
        std::uint32_t word = 0;
        std::uint32_t alias = 0;
        std::uint32_t batch = 0;  ///< the slot is free unless this is the current batch
    };

    AliasRegisters() : slots_(256) {}

    /// Forgets every alias: a new batch begins.
    void reset()
    {
        used_ = 0;
        if (++batch_ == 0) {
            slots_.assign(256, {});
            batch_ = 1;
        }
    }

    /// Valid until the next call.
    Register& of(std::uint32_t alias)
    {
        auto& found = slot(alias);
        if (found.batch == batch_) {
            return found;
        }
        if (2 * ++used_ <= slots_.size()) {
            found = {0, 0, alias, batch_};
            return found;
        }
        grow();
        return slot(alias) = {0, 0, alias, batch_};
    }

private:
    Register& slot(std::uint32_t alias)
    {
        const auto mask = slots_.size() - 1;
        // Rows of one device follow each other: let neighbours lie in neighbouring slots.
        std::size_t at = (alias + (alias >> 16) * 0x9E3779B1U) & mask;
        while (slots_[at].batch == batch_ && slots_[at].alias != alias) {
            at = (at + 1) & mask;
        }
        return slots_[at];
    }

    void grow()
    {
        std::vector<Register> old(slots_.size() * 2);
        old.swap(slots_);
        for (const auto& held : old) {
            if (held.batch == batch_) {
                slot(held.alias) = held;
            }
        }
    }

    std::vector<Register> slots_;
    std::size_t used_ = 0;
    std::uint32_t batch_ = 1;
};

}  // namespace gateway
