#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/core/fraction.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace gateway {

/// The words of measurement: what can be measured, and in what (`schemas/quantities.toml`,
/// `schemas/units.toml`).
struct Vocabulary {
    struct Term {
        std::string title;
        std::string dimension;  ///< "none": a value without unit
        /// Of a unit: number * factor + offset is in the unit of the dimension whose factor is 1.
        /// Without one it is not converted.
        std::optional<Fraction> factor;
        Fraction offset{0};
    };
    using Terms = std::map<std::string, Term, std::less<>>;
    Terms quantities, units;
};

/// Where the shared files lie: $SMART_GATEWAY_SCHEMAS, else the installed folder, else the source
/// tree. Shipped profiles are in its `profiles`.
std::string schemas_folder();

/// Reads both files of `folder`. On a mistake what could be read is returned.
Vocabulary load_vocabulary(const std::string& folder, Mistakes& mistakes);

}  // namespace gateway
