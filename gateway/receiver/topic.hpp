#pragma once

#include "gateway/core/ids.hpp"

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// What is wrong with something from outside, for counting.
enum class RefusalKind : std::uint8_t {
    topic,    ///< it came on a topic that is none of the protocol's
    origin,   ///< the box may not speak for this org
    limit,    ///< more than this receiver keeps of one box
    content,  ///< it is not what its topic says, or contradicts itself
};
inline constexpr std::array refusal_kinds{RefusalKind::topic, RefusalKind::origin,
                                          RefusalKind::limit, RefusalKind::content};
std::string_view to_string(RefusalKind kind);

/// Why something from outside is not accepted, in words for the log.
struct Refusal {
    std::string reason;
    RefusalKind kind = RefusalKind::content;
};

/// What was checked, or why it is refused.
template <typename T>
using Checked = boost::system::result<T, Refusal>;

/// Kinds of topic that a receiver listens to (protocol.md, section 7).
enum class TopicKind : std::uint8_t {
    state,
    birth,
    dictionary,
    alarm,
    control,
    data,
    history,
    manifest
};

inline constexpr std::array topic_kinds{
    TopicKind::state,   TopicKind::birth, TopicKind::dictionary, TopicKind::alarm,
    TopicKind::control, TopicKind::data,  TopicKind::history,    TopicKind::manifest};
std::string_view to_string(TopicKind kind);
constexpr bool carries_batch(TopicKind kind)
{
    return kind == TopicKind::alarm || kind == TopicKind::control || kind == TopicKind::data ||
           kind == TopicKind::history;
}

struct Topic {
    TopicKind kind = TopicKind::state;
    std::string org;
    std::string box;
    DictionaryHash hash = 0;  ///< of a dictionary's topic
};

/// True for `[a-z0-9][a-z0-9.-]{0,62}`, the form of an org and of a box.
bool is_name(std::string_view text);
Checked<Topic> parse_topic(std::string_view topic);
/// What to subscribe to; an empty org is every org.
std::vector<std::string> subscriptions(std::string_view org);
std::string receipt_topic(std::string_view org, std::string_view box);

}  // namespace gateway
