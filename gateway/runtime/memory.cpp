#include "gateway/runtime/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

namespace gateway {

void give_back_memory()
{
    malloc_trim(0);
    struct Mapping {
        std::uintptr_t begin = 0, end = 0;
        char mode[5] = {};
    } mapping;
    bool is_of_a_file = false;
    std::ifstream mappings("/proc/self/smaps");  // proc(5)
    for (std::string line; std::getline(mappings, line);) {
        Mapping next;
        unsigned long changed_kb = 0;
        if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &next.begin, &next.end,
                        next.mode) == 3) {
            mapping = next;
            is_of_a_file = next.mode[1] == '-' && line.find('/') != std::string::npos;
        } else if (std::sscanf(line.c_str(), "Anonymous: %lu kB", &changed_kb) == 1 &&
                   changed_kb == 0 && is_of_a_file) {
            // Not writable, and not written before it became so: every page is as in its file.
            // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the kernel's list holds
            madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin,
                    MADV_DONTNEED);
        }
    }
}

}  // namespace gateway
