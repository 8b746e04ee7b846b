#pragma once

namespace gateway {

/// The command line of smart-gateway. Returns the exit code: 0 done, 1 the answer is no, 2 could
/// not tell, 64 usage, 78 configuration, 70 other.
int run_command_line(int argc, char** argv);

}  // namespace gateway
