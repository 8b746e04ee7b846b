#include "gateway/core/defect.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace gateway {

namespace {

Defect chosen()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const char* named = std::getenv("SMART_GATEWAY_DEFECT");
    const std::string_view text(named == nullptr ? "" : named);
    int number = 0;
    if (text.starts_with('M')) {
        std::from_chars(text.data() + 1, text.data() + text.size(), number);
    }
    return static_cast<Defect>(number);
}

}  // namespace

Defect planted_defect()
{
    static const Defect defect = chosen();
    return defect;
}

}  // namespace gateway
