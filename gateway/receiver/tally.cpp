#include "gateway/receiver/tally.hpp"

#include "gateway/core/json.hpp"

namespace gateway {

std::string Tally::to_json() const
{
    const json::object fields{
        {"batches", batches}, {"readings", readings},   {"duplicates_removed", duplicates},
        {"gaps", gaps},       {"declared_lost", lost},  {"conflicts", conflicts},
        {"refused", refused}, {"held", held},           {"dropped", dropped},
        {"births", births},   {"manifests", manifests}, {"manifests_differing", differing},
    };
    return json::serialize(fields);
}

}  // namespace gateway
