#include "gateway/metrics/process.hpp"

#include "gateway/config/file.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <sstream>

namespace gateway {

namespace {

constexpr std::size_t longest_stat = 4'096;
// Of /proc/PID/stat, counted from the state, which follows the name: proc(5).
constexpr int fields_before_start = 19;

double seconds_of(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Stat {
    double start_ticks = 0;  // since the machine started
    double virtual_bytes = 0;
    double resident_pages = 0;
};

Stat read_stat()
{
    Stat stat;
    const auto text = read_file("/proc/self/stat", longest_stat);
    if (!text) {
        return stat;
    }
    std::istringstream fields(text->substr(text->rfind(')') + 1));
    std::string passed_over;
    for (int i = 0; i < fields_before_start; ++i) {
        fields >> passed_over;
    }
    fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
    return stat;
}

double open_descriptors()
{
    Error error;
    const std::filesystem::directory_iterator all("/proc/self/fd", error);
    const auto count = std::distance(begin(all), end(all));
    return static_cast<double>(count) - 1;  // without the one that reads the folder
}

}  // namespace

void add_process(MetricsPage& page)
{
    const auto stat = read_stat();
    const auto age =
        seconds_of(CLOCK_BOOTTIME) - stat.start_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    page.counter("process_cpu_seconds", "User and system CPU time used.")
        .add(seconds_of(CLOCK_PROCESS_CPUTIME_ID));
    page.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.")
        .add(stat.resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    page.gauge("process_virtual_memory_bytes", "Address space of the process.")
        .add(stat.virtual_bytes);
    page.gauge("process_start_time_seconds", "When the process started, Unix time.")
        .add(seconds_of(CLOCK_REALTIME) - age);
    page.gauge("process_open_fds", "Open file descriptors.").add(open_descriptors());
    page.gauge("process_max_fds", "Limit of open file descriptors.").add(descriptors.rlim_cur);
}

}  // namespace gateway
