#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace gateway::test {

/// A folder of one test, removed with everything in it.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A real mosquitto of one test on loopback: own configuration, nothing kept on disk, anonymous
/// unless `settings` says otherwise. Killed with the object.
class Broker {
public:
    /// `settings`: further lines of mosquitto.conf; "%f" stands for the broker's folder.
    /// `files` are written into that folder first, by name.
    explicit Broker(std::string settings = "",
                    const std::map<std::string, std::string>& files = {});
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    std::uint16_t port() const { return port_; }
    const std::filesystem::path& folder() const { return folder_.path(); }
    /// Listens on return; on the same port every time.
    void start();
    /// SIGKILL; gone on return.
    void kill();
    /// SIGHUP: rules are read again, connections stay.
    void reload() const;
    /// SIGSTOP: connections stay up and nothing answers.
    void freeze() const;
    void thaw() const;

private:
    TemporaryFolder folder_;
    std::uint16_t port_;
    pid_t pid_ = 0;
};

}  // namespace gateway::test
