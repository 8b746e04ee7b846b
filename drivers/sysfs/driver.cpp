#include "drivers/sysfs/driver.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gateway::sysfs {

namespace asio = boost::asio;

namespace {

bool worth_repeating(const Sample& sample)
{
    return sample.quality == Quality::comm_error && sample.cause != Cause::unreachable;
}

/// Whether the device was heard: a file that is not there or cannot be read says nothing.
bool heard(const Sample& sample)
{
    return sample.quality != Quality::comm_error || sample.cause == Cause::crc;
}

Error error_of(Cause cause)
{
    return cause == Cause::timeout            ? Fault::timed_out
           : cause == Cause::unexpected_reply ? Fault::unexpected_reply
                                              : Fault::not_found;
}

}  // namespace

SysfsDriver::SysfsDriver(FileWorker& worker, std::string path, SourceMap map)
    : worker_(worker),
      path_(std::move(path)),
      settings_(map.settings),
      points_(std::make_shared<const std::vector<Source>>(std::move(map.points))),
      identity_(std::make_shared<const std::vector<Source>>(std::move(map.identity))),
      all_identity_(identity_->size())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

asio::awaitable<Result<Samples>> SysfsDriver::read(PointSet due)
{
    return collect(points_, due);
}

asio::awaitable<Result<Identity>> SysfsDriver::identify()
{
    auto samples = co_await collect(identity_, all_identity_);
    if (!samples) {
        co_return samples.error();
    }
    Identity identity(samples->size());
    for (auto& sample : *samples) {
        if (sample.quality == Quality::good) {
            identity[sample.row] = std::move(sample.raw);
        }
    }
    co_return identity;
}

asio::awaitable<Result<Samples>> SysfsDriver::collect(Sources sources, PointSet due)
{
    Samples samples;
    for (const auto row : due) {
        samples.push_back(
            {.row = row, .raw = {}, .quality = Quality::comm_error, .cause = Cause::timeout});
    }
    for (auto& rows : by_files(*sources, due)) {
        if (!co_await fill(sources, rows, samples)) {
            break;  // the worker hangs: the rest would wait for nothing
        }
    }
    if (!samples.empty() && std::ranges::none_of(samples, heard)) {
        co_return error_of(samples.front().cause);
    }
    co_return samples;
}

asio::awaitable<Status> SysfsDriver::fill(Sources sources, std::vector<std::uint16_t> rows,
                                          Samples& samples)
{
    for (unsigned attempt = 0; attempt <= settings_.retries && !rows.empty(); ++attempt) {
        auto contents = std::make_shared<std::vector<Content>>();
        auto job = [contents, sources, path = path_, row = rows.front()] {
            *contents = fetch(kernel_files(), path, (*sources)[row]);
        };
        if (const auto ran = co_await worker_.run(job, settings_.timeout); !ran) {
            co_return ran.error();
        }
        for (auto& sample : samples) {
            if (std::ranges::find(rows, sample.row) != rows.end()) {
                const auto row = sample.row;
                sample = sample_of((*sources)[row], *contents);
                sample.row = row;
                if (!worth_repeating(sample)) {
                    std::erase(rows, row);
                }
            }
        }
    }
    co_return Status();
}

std::vector<std::vector<std::uint16_t>> by_files(const std::vector<Source>& sources, PointSet due)
{
    std::vector<std::vector<std::uint16_t>> groups;
    for (const auto row : due) {
        const auto same = [&](const std::vector<std::uint16_t>& rows) {
            return sources[rows.front()].same_files(sources[row]);
        };
        const auto group = std::ranges::find_if(groups, same);
        if (group == groups.end()) {
            groups.push_back({row});
        } else {
            group->push_back(row);
        }
    }
    return groups;
}

}  // namespace gateway::sysfs
