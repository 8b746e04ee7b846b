#include "gateway/config/site.hpp"

#include <cstdlib>
#include <string_view>

/// Whatever the text, a site file without mistakes can be used.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    gateway::Mistakes mistakes;
    const auto site = gateway::parse_site(text, "fuzz.toml", mistakes);
    const bool usable = !site.id.empty() && !site.org.empty() &&
                        (site.uplink.host.empty() || site.uplink.port != 0) &&
                        site.store.budget_bytes > 0;
    if (mistakes.empty() && !usable) {
        std::abort();
    }
    return 0;
}
