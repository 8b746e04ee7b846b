#include "gateway/runtime/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace {

/// kB of mapped files that are in memory, by proc(5).
long resident_file_kb()
{
    std::ifstream status("/proc/self/status");
    long kilobytes = -1;
    for (std::string word; status >> word;) {
        if (word == "RssFile:") {
            status >> kilobytes;
        }
    }
    return kilobytes;
}

TEST(Memory, CodeIsGivenBackAndRunsAgain)
{
    const auto before = resident_file_kb();
    gateway::give_back_memory();
    const auto after = resident_file_kb();
    EXPECT_GT(after, 0);
    EXPECT_LT(after, before);
    EXPECT_GT(resident_file_kb(), 0);
}

}  // namespace
