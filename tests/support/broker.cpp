#include "tests/support/broker.hpp"

#include "tests/support/free_port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

/// Paho 1.3.12 forgets messages whose write the socket had not taken when their session ends.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __lsan_default_suppressions()   // NOLINT: the sanitizer's name
{
    return "leak:libpaho-mqtt3as\n";
}

/// The library's reference counts are not instrumented: a token it let go first looks shared.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __tsan_default_suppressions()   // NOLINT: the sanitizer's name
{
    return "race:std::shared_ptr<mqtt::token>::~shared_ptr\n"
           "race:std::shared_ptr<mqtt::delivery_token>::~shared_ptr\n";
}

namespace gateway::test {

namespace {

constexpr std::chrono::seconds start_limit{10};

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool listens(std::uint16_t port)
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool connected =
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
}

}  // namespace

TemporaryFolder::TemporaryFolder()
{
    std::string name = std::filesystem::temp_directory_path() / "gateway-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp failed");
    }
    path_ = name;
}

TemporaryFolder::~TemporaryFolder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Broker::Broker(std::string settings, const std::map<std::string, std::string>& files)
    : port_(free_port())
{
    for (const auto& [name, text] : files) {
        std::ofstream(folder() / name) << text;
    }
    for (auto at = settings.find("%f"); at != std::string::npos; at = settings.find("%f")) {
        settings.replace(at, 2, folder().string());
    }
    // Started as root mosquitto would drop to its own user and not read the folder.
    const std::string user = ::geteuid() == 0 ? "user root\n" : "";
    const bool anonymous = settings.find("allow_anonymous") == std::string::npos;
    std::ofstream(folder() / "mosquitto.conf")
        << (user + "listener " + std::to_string(port_) + " 127.0.0.1\n" +
            (anonymous ? "allow_anonymous true\n" : "") + "persistence false\nlog_dest none\n" +
            settings);
    start();
}

Broker::~Broker()
{
    kill();
}

void Broker::start()
{
    const auto file = (folder() / "mosquitto.conf").string();
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        if (::getppid() == parent) {
            ::execlp("mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
            ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
        }
        ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + start_limit;
    while (!listens(port_)) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_ ||
            std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("mosquitto does not start");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void Broker::kill()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

void Broker::reload() const
{
    ::kill(pid_, SIGHUP);
}

void Broker::freeze() const
{
    ::kill(pid_, SIGSTOP);
}

void Broker::thaw() const
{
    ::kill(pid_, SIGCONT);
}

}  // namespace gateway::test
