#pragma once

#include "gateway/config/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::json_text {

/// What the drivers differ in.
struct ExampleKind {
    std::string_view source;     ///< "path" or "topic": where an example says what its body came by
    std::string_view otherwise;  ///< the address where it does not say
    bool (*brings)(std::string_view source, std::string_view address);
};

/// Reads the body of every `[[example]]` as the driver would and compares what people would see
/// with `expect`; one text per difference. The age of a body is not judged, but its time must be
/// readable.
std::vector<std::string> run_examples(const Profile& profile, const ExampleKind& kind);

}  // namespace gateway::json_text
