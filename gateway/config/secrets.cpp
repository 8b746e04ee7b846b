#include "gateway/config/secrets.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/literal.hpp"

#include <cstdlib>

namespace gateway {

Result<std::string> read_secret(std::string_view name, const std::string& config_folder)
{
    if (!secret_format.fits(name)) {
        return Fault::malformed;
    }
    const auto tail = '/' + std::string(name);
    Result<std::string> secret = Fault::not_found;
    // Nothing in this process changes the environment.
    if (const char* credentials =
            std::getenv("CREDENTIALS_DIRECTORY")) {  // NOLINT(concurrency-mt-unsafe): see above
        secret = read_file(credentials + tail, longest_secret);
    }
    if (!secret) {
        secret = read_private_file(config_folder + "/secrets" + tail, longest_secret);
    }
    if (secret && secret->ends_with('\n')) {
        secret->pop_back();
    }
    return secret;
}

}  // namespace gateway
