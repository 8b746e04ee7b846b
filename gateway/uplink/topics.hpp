#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"

#include <string>
#include <string_view>

namespace gateway {

/// The topic names of one box (protocol.md, section 7).
class Topics {
public:
    Topics(std::string_view org, std::string_view box);

    std::string dictionary(DictionaryHash hash) const;
    /// Where a batch of the lane goes while it is fresh.
    const std::string& live(Lane lane) const;

    std::string state, birth, alarm, control, data, history, manifest, health, receipt, command,
        answer;

private:
    std::string dictionaries_;
};

}  // namespace gateway
