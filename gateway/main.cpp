#include "gateway/commands/cli.hpp"

#include <malloc.h>

int main(int argc, char** argv)
{
    // Every arena that glibc makes for a thread stays resident; the box has few threads and little
    // memory.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet
    mallopt(M_ARENA_MAX, 1);
    return gateway::run_command_line(argc, argv);
}
