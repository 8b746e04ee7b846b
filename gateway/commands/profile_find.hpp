#pragma once

#include "gateway/config/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// One line of a contract, as the catalogue lists it.
struct Award {
    std::string profile, contract, line, sku, title;
};

/// The awards of a catalogue; none when there is no such file.
std::vector<Award> read_awards(const std::string& file);

/// Whether a model, a maker, a title, an order number or a contract of the profile has this word.
bool mentions(const Profile& profile, const std::vector<Award>& awards, std::string_view word);

/// The lines of a site file that connect such a device.
std::string lines_to_paste(const Profile& profile);

}  // namespace gateway
