#pragma once

#include "gateway/commands/commands.hpp"

#include "gateway/store/held_rows.hpp"

#include <memory>
#include <string>

namespace gateway {

/// The state directory that was meant: `path` or, when that is the root of a card, the one in it;
/// without `path` the box's own.
std::string state_directory(const CommandOptions& options, const std::string& path);

/// The rows there: of the running service, which has them open, when its own are meant, else of
/// the files. Throws StoreError when there is no store, or one that another process has open.
std::unique_ptr<HeldRows> open_rows(const CommandOptions& options, const std::string& path);

/// Says on standard error why a store cannot be looked at; the exit code.
int say_no_store(const std::string& directory, const std::string& why);

}  // namespace gateway
