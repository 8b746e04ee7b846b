#pragma once

#include "drivers/sysfs/source_map.hpp"
#include "gateway/acquire/driver.hpp"
#include "gateway/runtime/file_worker.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gateway::sysfs {

/// A device that the kernel shows as files below one path. Files are read on the worker; points
/// that lie in the same file are read together.
class SysfsDriver final : public Driver {
public:
    /// `files` is shared with reads under way, which may outlive this object.
    SysfsDriver(FileWorker& worker, std::string path, SourceMap map);

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    using Sources = std::shared_ptr<const std::vector<Source>>;

    boost::asio::awaitable<Result<Samples>> collect(Sources sources, PointSet due);
    boost::asio::awaitable<Status> fill(Sources sources, std::vector<std::uint16_t> rows,
                                        Samples& samples);

    FileWorker& worker_;
    std::string path_;
    Settings settings_;
    Sources points_, identity_;
    std::vector<std::uint16_t> all_identity_;
};

/// The rows of each set of files, in the order of their first row.
std::vector<std::vector<std::uint16_t>> by_files(const std::vector<Source>& sources, PointSet due);

}  // namespace gateway::sysfs
