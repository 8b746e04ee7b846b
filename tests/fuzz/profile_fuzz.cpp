#include "gateway/config/profile.hpp"
#include "gateway/config/vocabulary.hpp"

#include <cstdlib>
#include <string_view>

/// Whatever the text, a profile without mistakes can be used.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    gateway::Mistakes mistakes;
    static const auto vocabulary = gateway::load_vocabulary(gateway::schemas_folder(), mistakes);
    const auto profile = gateway::parse_profile(text, "fuzz.profile.toml", vocabulary, mistakes);
    const bool usable = !profile.id.empty() && !profile.driver.empty() &&
                        profile.points.size() <= 4'096 && profile.sha256.size() == 64;
    if (mistakes.empty() && !usable) {
        std::abort();
    }
    return 0;
}
