#include "drivers/http_json/driver.hpp"

#include "gateway/acquire/slot_account.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/log.hpp"

#include <array>
#include <cstdio>
#include <numeric>
#include <random>
#include <utility>

namespace gateway::http_json {

namespace asio = boost::asio;
using json_text::Location;

namespace {

constexpr unsigned ok = 200;
constexpr unsigned unauthorized = 401;

/// The device's refusal as its own code: exception_404.
Cause cause_of_status(unsigned status)
{
    return static_cast<Cause>(static_cast<unsigned>(Cause::exception_base) + status);
}

void fail(const std::vector<Location>& from, PointSet rows, std::uint16_t source, Cause cause,
          Samples& samples)
{
    for (const auto row : rows) {
        if (from[row].source == source) {
            samples.push_back({.row = row, .quality = Quality::comm_error, .cause = cause});
        }
    }
}

bool brings(const std::vector<Location>& from, PointSet rows, std::uint16_t source)
{
    return std::any_of(rows.begin(), rows.end(),
                       [&](std::uint16_t row) { return from[row].source == source; });
}

std::string fresh_nonce()
{
    std::random_device random;
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
    return text.data();
}

/// Ends a connection that a cancelled or failed read leaves behind.
class Session {
public:
    explicit Session(std::unique_ptr<Connection>& connection) : connection_(connection) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { connection_.reset(); }

private:
    std::unique_ptr<Connection>& connection_;
};

}  // namespace

HttpDriver::HttpDriver(Shared shared, Settings settings, json_text::DeviceMap map)
    : shared_(std::move(shared)),
      settings_(std::move(settings)),
      map_(std::move(map)),
      body_(map_),
      freshness_(map_.sources.size()),
      all_identity_(map_.identity.size())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

asio::awaitable<Result<Samples>> HttpDriver::read(PointSet due)
{
    return collect(map_.points, due);
}

asio::awaitable<Result<Identity>> HttpDriver::identify()
{
    auto samples = co_await collect(map_.identity, all_identity_);
    if (!samples) {
        co_return samples.error();
    }
    Identity identity(all_identity_.size());
    for (auto& sample : *samples) {
        if (!sample.raw.is_none()) {
            identity[sample.row] = std::move(sample.raw);
        }
    }
    co_return identity;
}

asio::awaitable<Result<Samples>> HttpDriver::collect(const std::vector<Location>& from,
                                                     PointSet rows)
{
    const auto turn = co_await shared_.bus->take();
    const Session session(connection_);
    Samples samples;
    samples.reserve(rows.size());
    std::optional<Error> unreachable;  // the device itself, not one of its documents
    bool answered = false;
    const auto sources = static_cast<std::uint16_t>(map_.sources.size());
    for (std::uint16_t source = 0; source < sources; ++source) {
        if (!brings(from, rows, source)) {
            continue;
        }
        if (unreachable && !answered) {
            fail(from, rows, source, cause_of(*unreachable), samples);
            continue;
        }
        const auto answer = co_await ask(map_.sources[source]);
        const bool spoke =
            answer || answer.error() == Fault::malformed || answer.error() == Fault::too_large;
        answered = answered || spoke;
        if (answer) {
            take(*answer, source, from, rows, samples);
        } else {
            unreachable = spoke ? unreachable : std::optional(answer.error());
            fail(from, rows, source, cause_of(answer.error()), samples);
        }
    }
    silent_ = unreachable && !answered;
    if (silent_) {
        co_return *unreachable;
    }
    co_return samples;
}

void HttpDriver::take(const Answer& answer, std::uint16_t source, const std::vector<Location>& from,
                      PointSet rows, Samples& samples)
{
    if (answer.status != ok) {
        fail(from, rows, source, cause_of_status(answer.status), samples);
        return;
    }
    if (!body_.take(answer.body, source)) {
        fail(from, rows, source, Cause::unexpected_reply, samples);
        return;
    }
    Samples brought;
    body_.collect(from, rows, brought);
    const auto wall = shared_.clock.wall();
    const auto limit = map_.age ? map_.age->stale : std::nullopt;
    freshness_[source].mark(brought, body_.time(wall), limit, wall, shared_.clock.now());
    std::move(brought.begin(), brought.end(), std::back_inserter(samples));
}

asio::awaitable<Result<Answer>> HttpDriver::ask(std::string target)
{
    auto left = silent_ ? 1 : settings_.retries + 1;
    Result<Answer> answer = Fault::timed_out;
    while (!answer && left > 0) {
        const bool used = connection_ != nullptr;
        answer = co_await with_deadline(exchange(target), settings_.timeout);
        if (answer && challenged_anew(*answer)) {
            answer = co_await with_deadline(exchange(target), settings_.timeout);
        }
        if (!answer) {
            connection_.reset();
            const bool final = answer.error() == Fault::too_large ||
                               answer.error() == Fault::malformed ||
                               answer.error() == Fault::refused;
            // A server may have ended a connection meanwhile: that was no attempt.
            left = final ? 0 : left - (used ? 0 : 1);
        } else if (!answer->goes_on) {
            connection_.reset();
        }
    }
    co_return answer;
}

asio::awaitable<Result<Answer>> HttpDriver::exchange(std::string target)
{
    if (!connection_) {
        const auto connected = co_await connect();
        if (!connected) {
            co_return connected.error();
        }
    }
    auto answer = co_await connection_->get(request_for(target));
    if (answer && !answer->goes_on) {
        connection_.reset();
    }
    co_return answer;
}

asio::awaitable<Status> HttpDriver::connect()
{
    auto address = co_await shared_.resolver.resolve(settings_.server.host, settings_.timeout);
    if (!address) {
        co_return address.error();
    }
    connection_ = std::make_unique<Connection>(shared_.executor, settings_.server, trust_);
    const auto opened = co_await connection_->open(std::move(*address));
    if (!opened) {
        if (connection_->problem() != last_problem_ && !connection_->problem().empty()) {
            log(LogLevel::warning, "A device's certificate is not accepted",
                {{"host", settings_.server.host}, {"why", connection_->problem()}});
        }
        last_problem_ = connection_->problem();
        connection_.reset();
    }
    co_return opened;
}

Request HttpDriver::request_for(const std::string& target)
{
    Request request{.target = settings_.server.base + target, .max_body = map_.limits.bytes};
    switch (settings_.auth) {
        case Auth::none:
            break;
        case Auth::basic:
            request.authorization = basic_answer(settings_.credentials);
            break;
        case Auth::digest:
            if (challenge_) {
                request.authorization = digest_answer(*challenge_, settings_.credentials,
                                                      request.target, ++answers_, fresh_nonce());
            }
            break;
        case Auth::bearer:
            request.authorization = "Bearer " + settings_.credentials.secret;
            break;
        case Auth::header:
            request.header = settings_.header;
            request.header_value = settings_.credentials.secret;
            break;
    }
    return request;
}

bool HttpDriver::challenged_anew(const Answer& answer)
{
    if (settings_.auth != Auth::digest || answer.status != unauthorized) {
        return false;
    }
    std::optional<Challenge> best;
    for (const auto& text : answer.challenges) {
        auto challenge = parse_challenge(text);
        if (challenge && (!best || challenge->sha256)) {
            best = std::move(challenge);
        }
    }
    const bool answered = challenge_ && answers_ > 0;
    // A fresh nonce after an answer to an old one is worth one more try; the same secret to the
    // same nonce is not.
    const bool anew = best && (!answered || best->stale || best->nonce != challenge_->nonce);
    challenge_ = std::move(best);
    answers_ = 0;
    return anew;
}

}  // namespace gateway::http_json
