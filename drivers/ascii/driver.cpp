#include "drivers/ascii/driver.hpp"

#include "gateway/acquire/slot_account.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace gateway::ascii {

namespace asio = boost::asio;

namespace {

/// Some units keep silent on what they do not know, so one silent request is not yet a silent unit.
constexpr unsigned silent_requests_of_a_silent_unit = 2;

bool is_late(const Status& status)
{
    return !status && status.error() == Fault::timed_out;
}

bool worth_repeating(const Error& error)
{
    return error == Fault::timed_out || error == Fault::bad_checksum || error == Fault::too_large ||
           error == Fault::closed || error == asio::error::connection_reset ||
           error == asio::error::broken_pipe;
}

/// The unit may still answer something else.
bool unit_may_live(const Error& error)
{
    return error == Fault::timed_out || error == Fault::bad_checksum || error == Fault::too_large;
}

/// Everything that goes wrong in an exchange and leaves bytes behind ends the connection.
class Exchange {
public:
    explicit Exchange(StreamBus& bus) : bus_(bus) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange()
    {
        if (!clean_) {
            bus_.close();
        }
    }
    void ended_clean() { clean_ = true; }

private:
    StreamBus& bus_;
    bool clean_ = false;
};

/// Until the stream ends or the caller has had enough.
asio::awaitable<Status> discard(ByteStream& stream)
{
    std::array<std::uint8_t, 512> unwanted;  // NOLINT: filled by the device
    for (;;) {
        const auto got = co_await stream.read_some(unwanted);
        if (!got) {
            co_return got.error();
        }
    }
}

/// Nothing, until the device has said all that it has to say of itself.
Result<Identity> identity_heard(const Identity& heard, const std::vector<bool>& required)
{
    bool any = false;
    for (std::size_t i = 0; i < heard.size(); ++i) {
        if (required[i] && !heard[i]) {
            return Fault::not_found;
        }
        any = any || heard[i];
    }
    return any ? Result<Identity>(heard) : Result<Identity>(Fault::not_found);
}

std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters are bytes
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

AsciiDriver::AsciiDriver(std::shared_ptr<StreamBus> bus, LineMap map, ExchangeLog* log)
    : bus_(std::move(bus)),
      map_(std::move(map)),
      frames_(map_.grammar.start, map_.grammar.end, map_.grammar.longest),
      all_identity_(map_.identity.size()),
      identity_(map_.identity.size()),
      log_(log)
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

std::optional<Duration> AsciiDriver::may_be_silent() const
{
    return map_.settings.talking ? std::optional(map_.settings.stale) : std::nullopt;
}

asio::awaitable<Result<Samples>> AsciiDriver::read(PointSet due)
{
    return map_.settings.talking ? hear(due) : poll(map_.points, map_.request_of_point, due);
}

asio::awaitable<Result<Identity>> AsciiDriver::identify()
{
    if (map_.settings.talking) {
        co_return identity_heard(identity_, map_.required);
    }
    auto samples = co_await poll(map_.identity, map_.request_of_identity, all_identity_);
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

asio::awaitable<Result<Samples>> AsciiDriver::poll(const std::vector<Source>& sources,
                                                   RequestOf request_of, PointSet due)
{
    auto samples = failures(due);
    Hearing hearing(map_, sources, samples);
    bool answered = false;
    unsigned silent_in_a_row = 0;
    Error failure = Fault::timed_out;
    for (std::size_t request = 0; request < map_.requests.size(); ++request) {
        for (std::size_t i = 0; i < samples.size(); ++i) {
            if (request_of[samples[i].row] == request) {
                hearing.want(i);
            }
        }
        if (hearing.complete()) {
            continue;
        }
        if (silent_in_a_row == silent_requests_of_a_silent_unit || !unit_may_live(failure)) {
            hearing.give_up(cause_of(failure));
            continue;
        }
        const auto heard = co_await ask(map_.requests[request], hearing);
        answered = answered || heard.has_value();
        silent_in_a_row = heard ? 0 : silent_in_a_row + 1;
        failure = heard ? failure : heard.error();
        hearing.give_up(heard ? Cause::unexpected_reply : cause_of(failure));
    }
    if (!answered && !samples.empty()) {
        co_return failure;
    }
    co_return samples;
}

asio::awaitable<Status> AsciiDriver::ask(const std::string& request, Hearing& hearing)
{
    Status heard = Fault::timed_out;
    for (unsigned attempt = 0; attempt <= map_.settings.retries; ++attempt) {
        const auto turn = co_await bus_->take();
        const auto begun = Steady::now();
        heard_.clear();
        heard = co_await ask_once(request, hearing);
        keep(request, heard, begun);
        if (heard || !worth_repeating(heard.error())) {
            break;
        }
    }
    co_return heard;
}

asio::awaitable<Status> AsciiDriver::ask_once(const std::string& request, Hearing& hearing)
{
    const auto& settings = map_.settings;
    Exchange exchange(*bus_);
    const auto stream = co_await bus_->connection(settings.gap);
    if (!stream) {
        co_return stream.error();
    }
    frames_.clear(false);
    hearing.asked(request);
    const auto sent =
        co_await (*stream)->within(settings.timeout, (*stream)->write(bytes_of(request)));
    if (!sent) {
        co_return sent.error();
    }
    const auto heard =
        co_await (*stream)->within(settings.timeout, listen(**stream, hearing, settings.lines));
    if (heard) {
        bus_->answered();
        exchange.ended_clean();
        co_return heard;
    }
    if (!is_late(heard)) {
        co_return heard;
    }
    // An answer that comes now must not be there when the next question is asked.
    const auto quiet = co_await (*stream)->within(settings.late, discard(**stream));
    if (is_late(quiet)) {
        bus_->unanswered();
        exchange.ended_clean();
    }
    co_return hearing.damage().value_or(heard.error());
}

asio::awaitable<Result<Samples>> AsciiDriver::hear(PointSet rows)
{
    const auto turn = co_await bus_->take();
    if (!bus_->resumes(this)) {
        frames_.clear(true);
        last_heard_ = std::chrono::steady_clock::now();
    }
    auto begun = Steady::now();
    const auto told = [this, &begun](const Status& heard) {
        keep({}, heard, begun);
        heard_.clear();
        begun = Steady::now();
    };
    // Whatever ends this but a line, also being silent for too long, ends the connection.
    Exchange exchange(*bus_);
    for (;;) {
        while (const auto line = frames_.next()) {
            auto samples = *line ? take(**line, rows) : Samples();
            if (!samples.empty()) {
                bus_->answered();
                last_heard_ = std::chrono::steady_clock::now();
                exchange.ended_clean();
                told(Status());
                co_return samples;
            }
            if (!*line) {
                damage_ = line->error();
                told(line->error());
            }
            const auto silent = std::chrono::steady_clock::now() - last_heard_;
            if (damage_ && silent >= map_.settings.stale / 2) {
                co_return *damage_;  // says more than that nothing came
            }
        }
        const auto stream = co_await bus_->listen();
        if (!stream) {
            told(stream.error());
            co_return stream.error();
        }
        const auto received = co_await receive(**stream);
        if (!received) {
            told(received.error());
            co_return received.error();
        }
    }
}

Samples AsciiDriver::take(std::string_view line, PointSet rows)
{
    auto told = failures(all_identity_);
    Hearing identity(map_, map_.identity, told);
    identity.want_all();
    identity.take(line);
    for (auto& sample : told) {
        if (sample.quality == Quality::good) {
            identity_[sample.row] = std::move(sample.raw);
        }
    }
    auto samples = failures(rows);
    Hearing hearing(map_, map_.points, samples);
    hearing.want_all();
    hearing.take(line);
    hearing.leave_out();
    damage_ = hearing.damage();
    return samples;
}

asio::awaitable<Status> AsciiDriver::listen(ByteStream& stream, Hearing& hearing, std::size_t lines)
{
    for (std::size_t taken = 0;;) {
        while (const auto line = frames_.next()) {
            if (!*line) {
                hearing.damaged(line->error());
            } else if (hearing.take(**line) && (++taken == lines || hearing.complete())) {
                co_return Status();
            }
        }
        const auto received = co_await receive(stream);
        if (!received) {
            co_return received;
        }
    }
}

asio::awaitable<Status> AsciiDriver::receive(ByteStream& stream)
{
    std::array<std::uint8_t, 512> buffer;  // NOLINT: filled by the device
    const bool ends_by_silence = map_.settings.silence > Duration::zero() && frames_.pending() > 0;
    auto reading = ends_by_silence ? stream.within(map_.settings.silence, stream.read_some(buffer))
                                   : stream.read_some(buffer);
    const auto got = co_await std::move(reading);
    if (!got && ends_by_silence && got.error() == Fault::timed_out) {
        frames_.end_here();
        co_return Status();
    }
    if (!got) {
        co_return got.error();
    }
    if (log_ != nullptr && heard_.size() <= ExchangeLog::most_received) {
        heard_.insert(heard_.end(), buffer.begin(),
                      buffer.begin() + static_cast<std::ptrdiff_t>(*got));
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    frames_.add({reinterpret_cast<const char*>(buffer.data()), *got});
    co_return Status();
}

void AsciiDriver::keep(std::string_view request, const Status& heard, Steady::time_point begun)
{
    if (log_ == nullptr) {
        return;
    }
    const auto now = Steady::now();
    const ExchangeLog::Exchange exchange{.framing = Framing::lines,
                                         .at = now,
                                         .took = now - begun,
                                         .error = heard ? Error() : heard.error()};
    log_->add(exchange, bytes_of(request), heard_);
}

}  // namespace gateway::ascii
