#pragma once

#include "drivers/http_json/auth.hpp"
#include "drivers/http_json/client.hpp"
#include "drivers/json/body.hpp"
#include "gateway/acquire/bus.hpp"
#include "gateway/acquire/driver.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/resolver.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gateway::http_json {

enum class Auth : std::uint8_t { none, basic, digest, bearer, header };

/// How one device is asked.
struct Settings {
    Server server;
    Auth auth = Auth::none;
    Credentials credentials;
    std::string header;                          ///< that carries the secret, of Auth::header
    Duration timeout = std::chrono::seconds(5);  ///< of one request, look-up and connect included
    unsigned retries = 1;
};

/// A device that serves JSON documents. A read gets each document that a due point lies in once,
/// all over one connection, which ends with the read. A redirect is not followed: as every answer
/// but 200, it is the points' cause.
class HttpDriver final : public Driver {
public:
    /// What the drivers of one server share is the bus.
    struct Shared {
        boost::asio::any_io_executor executor;
        std::shared_ptr<Bus> bus;
        Resolver& resolver;
        Clock& clock;
    };

    HttpDriver(Shared shared, Settings settings, json_text::DeviceMap map);

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    boost::asio::awaitable<Result<Samples>> collect(const std::vector<json_text::Location>& from,
                                                    PointSet rows);
    boost::asio::awaitable<Result<Answer>> ask(std::string target);
    boost::asio::awaitable<Result<Answer>> exchange(std::string target);
    boost::asio::awaitable<Status> connect();
    Request request_for(const std::string& target);
    /// Whether the answer is a challenge that has not been answered yet.
    bool challenged_anew(const Answer& answer);
    void take(const Answer& answer, std::uint16_t source,
              const std::vector<json_text::Location>& from, PointSet rows, Samples& samples);

    Shared shared_;
    Settings settings_;
    json_text::DeviceMap map_;
    json_text::Body body_;
    std::vector<json_text::Freshness> freshness_;  // by source
    std::vector<std::uint16_t> all_identity_;
    std::shared_ptr<Trust> trust_;
    std::unique_ptr<Connection> connection_;  // within a read
    std::optional<Challenge> challenge_;
    std::uint32_t answers_ = 0;  // to the challenge
    std::string last_problem_;
    bool silent_ = false;  // the last read found no device
};

}  // namespace gateway::http_json
