#include "gateway/runtime/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace gateway {

void give_back_memory()
{
    malloc_trim(0);
    std::ifstream maps("/proc/self/maps");  // proc(5)
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char mode[5] = {};
        const bool read =
            std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, mode) == 3;
        // Executable and not writable: such a page is as it is in its file.
        if (read && std::strcmp(mode, "r-xp") == 0 && line.find('/') != std::string::npos) {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the kernel's list holds
            madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
        }
    }
}

}  // namespace gateway
