#include "gateway/uplink/receipt.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// Whatever the bytes, a receipt that is taken keeps its promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto receipt = gateway::parse_receipt(text);
    if (!receipt) {
        return 0;
    }
    for (const auto& [epoch, lanes] : receipt->epochs) {
        for (const auto& ranges : lanes) {
            std::uint64_t before = 0;
            for (const auto& range : ranges) {
                if (range.first <= before || range.last < range.first) {
                    std::abort();
                }
                before = range.last;
            }
        }
    }
    return 0;
}
