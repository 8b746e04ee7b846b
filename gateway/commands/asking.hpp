#pragma once

#include "gateway/commands/commands.hpp"
#include "gateway/core/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

constexpr int could_not_tell = 2;

/// Says on standard error why not; the exit code of a no.
int refuse(const std::string& why);
/// The same for an answer that is a refusal; nothing when it is none.
std::optional<int> refused(const json::object& answer);
/// Says on standard error why the service did not answer.
void explain(const CommandOptions& options, const Error& error);
/// The service's one answer; nothing when there was none, which is said unless `quiet`.
std::optional<json::object> ask_once(const CommandOptions& options, const json::object& request,
                                     bool quiet = false);
/// `"ok": true`
bool is_well(const json::object& answer);
/// The member when it is an array, else an empty one.
const json::array& list_of(const json::object& answer, std::string_view key);
/// The texts of a list on standard output, a line each.
void print_list(const json::object& answer, std::string_view key, const std::string& indent);

}  // namespace gateway
