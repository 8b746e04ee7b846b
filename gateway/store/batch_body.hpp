#pragma once

#include "gateway/store/alias_registers.hpp"
#include "gateway/store/batch.hpp"
#include "schemas/batch_generated.h"

namespace gateway {

// The bodies of a batch, from bytes that FlatBuffers has verified and nobody has believed yet.
Result<std::vector<Reading>> readings_from(const wire::Readings& body, const BatchHeader& header,
                                           std::size_t count, AliasRegisters& registers);
/// The tombstone that stands for them, without looking at what was read.
Result<Tombstone> loss_from(const wire::Readings& body, const BatchHeader& header,
                            std::size_t count);
Result<Tombstone> tombstone_from(const wire::Tombstone& body, std::uint64_t count);

}  // namespace gateway
