#include "gateway/store/durable_log.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>

namespace gateway {

namespace {

int descriptor()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const char* named = std::getenv("SMART_GATEWAY_DURABLE_LOG_FD");
    const std::string_view text(named == nullptr ? "" : named);
    int number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::int64_t monotonic_ns()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

void write_durable_log(const std::vector<StoredBatch>& rows)
{
    static const int log = descriptor();
    const auto now = std::to_string(monotonic_ns());
    std::string lines;
    for (const auto& row : rows) {
        if (log >= 0 && !row.tombstone) {
            lines += R"({"epoch":")" + row.epoch.hex() + R"(","lane":")" +
                     std::string(to_string(row.lane)) + R"(","first":)" +
                     std::to_string(row.first) + R"(,"last":)" + std::to_string(row.range().last) +
                     R"(,"ns":)" + now + "}\n";
        }
    }
    // One write: a kill leaves whole lines.
    if (!lines.empty() &&
        ::write(log, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
        throw std::system_error(errno, std::generic_category(), "durable log");
    }
}

}  // namespace gateway
