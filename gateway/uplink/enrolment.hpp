#pragma once

#include "gateway/tls/generations.hpp"
#include "gateway/uplink/signal.hpp"
#include "gateway/uplink/uplink.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>

namespace gateway {

/// What the application gives; called on the loop.
struct EnrolmentHooks {
    std::function<std::optional<UplinkConfig>()> uplink;  ///< as configured; nothing without TLS
    std::function<WallTime()> certificate_time;
    std::function<void()> switched;  ///< another certificate is in use from now on
    EventListener on_event;
};

/// How the box comes to its certificate: it makes the key and the request, tries what it is given
/// with a connection of its own beside the one in use, and only then switches. A certificate that
/// could not be tried stays a candidate and is tried again, also after a restart. Runs on the loop.
class Enrolment {
public:
    Enrolment(boost::asio::any_io_executor executor, Worker& store, Worker& mqtt,
              Resolver& resolver, std::string box, tls::Generations generations,
              EnrolmentHooks hooks);

    /// The request to sign (PEM).
    boost::asio::awaitable<tls::Checked<std::string>> request();
    /// What became of the certificate, in words; a Problem when it was refused.
    boost::asio::awaitable<tls::Checked<std::string>> install(std::string certificate_pem);
    /// Tries a candidate again and again, until it is cancelled.
    boost::asio::awaitable<void> watch();

private:
    /// How a connection with a candidate ended.
    struct Trial {
        enum class End : std::uint8_t { worked, refused, not_tried } end;
        std::string text;
    };
    boost::asio::awaitable<Trial> attempt(tls::Generations::Files files);
    boost::asio::awaitable<tls::Checked<std::string>> decide(tls::Generations::Files files);
    boost::asio::awaitable<Status> accept(tls::Generations::Files files);

    boost::asio::any_io_executor executor_;
    Worker& store_;
    Worker& mqtt_;
    Resolver& resolver_;
    std::string box_;
    tls::Generations generations_;  // touched on the store worker only
    EnrolmentHooks hooks_;
    Signal timer_;
    bool busy_ = false;
};

}  // namespace gateway
