#pragma once

#include "gateway/core/result.hpp"
#include "gateway/tls/certificate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gateway::tls {

/// The box's keys and certificates, `tls/N/` in the state directory, with `tls/current` naming the
/// N in use. Each step is one that a power cut leaves done or not done:
///
///     request   N/key.pem          made here, read by the owner only, and never leaves
///     offer     N/certificate.pem  fits the key: a candidate, to be tried
///     accept    current = N        it worked
///     refuse    N without its certificate, waiting for a better one
///
/// Blocks: called on a worker.
class Generations {
public:
    struct Files {
        unsigned number = 0;
        std::string certificate, key;  ///< paths
    };

    explicit Generations(std::string folder) : folder_(std::move(folder)) {}

    /// In use; nothing before the first enrolment.
    std::optional<Files> current() const;
    /// Newer than the one in use, and not tried to the end.
    std::optional<Files> candidate() const;

    /// The request for a next certificate: of the key that waits for one, else of a new key.
    Checked<std::string> request(const std::string& box);
    /// Takes a certificate for the waiting key, or another one for the key in use. Says why not:
    /// another box's, another key's, expired at `now`.
    Checked<Files> offer(std::string_view pem, const std::string& box, WallTime now);
    /// From here on the candidate is the current one; of those before it only the last stays.
    Status accept(const Files& candidate);
    Status refuse(const Files& candidate);

private:
    std::vector<unsigned> numbers() const;
    unsigned current_number() const;
    Files files(unsigned number) const;
    std::optional<Files> waiting() const;
    Result<Files> begin(std::string_view key_pem);
    Result<Files> holder_of_key(std::string_view pem);

    std::string folder_;
};

}  // namespace gateway::tls
