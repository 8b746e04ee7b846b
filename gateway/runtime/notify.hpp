#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// Tells systemd how the service is doing (sd_notify(3)); does nothing when nobody listens. Sending
/// never blocks, and one that fails is dropped: systemd acts on what it misses.
class Notifier {
public:
    /// `socket` is a path, or a name in the abstract namespace behind '@'; empty: nobody listens.
    explicit Notifier(std::string socket);
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    void ready(std::string_view status) const;
    void reloading() const;  ///< followed by ready()
    void stopping() const;
    void alive() const;  ///< feeds the watchdog
    void status(std::string_view text) const;

private:
    void send(const std::string& message) const;

    std::string socket_;
    int descriptor_ = -1;
};

/// $NOTIFY_SOCKET, taken out of the environment so that no child inherits it.
std::string take_notify_socket();

/// How often the watchdog of this process wants to be fed at the latest, by the texts of
/// $WATCHDOG_USEC and $WATCHDOG_PID; null: not set.
std::optional<std::chrono::microseconds> watchdog_interval(const char* usec, const char* pid);

}  // namespace gateway
