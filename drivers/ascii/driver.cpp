#include "drivers/ascii/driver.hpp"

#include "gateway/acquire/slot_account.hpp"
#include "gateway/runtime/deadline.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace gateway::ascii {

namespace asio = boost::asio;

namespace {

/// Some units keep silent on what they do not know, so one silent request is not yet a silent unit.
constexpr std::chrono::seconds longest_identification{10};
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

std::span<const std::uint8_t> bytes_of(const std::string& text)
{
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters are bytes
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

AsciiDriver::AsciiDriver(std::shared_ptr<StreamBus> bus, LineMap map)
    : bus_(std::move(bus)),
      map_(std::move(map)),
      frames_(map_.grammar.start, map_.grammar.end, map_.grammar.longest),
      all_identity_(map_.identity.size()),
      unheard_(map_.points.size()),
      unheard_identity_(map_.identity.size())
{
    std::iota(all_identity_.begin(), all_identity_.end(), std::uint16_t{0});
}

asio::awaitable<Result<Samples>> AsciiDriver::read(PointSet due)
{
    return map_.settings.talking ? overhear(map_.points, due, unheard_, map_.settings.stale)
                                 : poll(map_.points, map_.request_of_point, due);
}

asio::awaitable<Result<Identity>> AsciiDriver::identify()
{
    const auto limit = std::min<Duration>(map_.settings.stale, longest_identification);
    auto asking = map_.settings.talking
                      ? overhear(map_.identity, all_identity_, unheard_identity_, limit)
                      : poll(map_.identity, map_.request_of_identity, all_identity_);
    auto samples = co_await std::move(asking);
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
        heard = co_await ask_once(request, hearing);
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
    const auto sent = co_await with_deadline((*stream)->write(bytes_of(request)), settings.timeout);
    if (!sent) {
        co_return sent.error();
    }
    const auto heard =
        co_await with_deadline(listen(**stream, hearing, settings.lines), settings.timeout);
    if (heard) {
        bus_->answered();
        exchange.ended_clean();
        co_return heard;
    }
    if (!is_late(heard)) {
        co_return heard;
    }
    // An answer that comes now must not be there when the next question is asked.
    const auto quiet = co_await with_deadline(discard(**stream), settings.late);
    if (is_late(quiet)) {
        bus_->unanswered();
        exchange.ended_clean();
    }
    co_return hearing.damage().value_or(heard.error());
}

asio::awaitable<Result<Samples>> AsciiDriver::overhear(const std::vector<Source>& sources,
                                                       PointSet due, std::vector<bool>& unheard,
                                                       Duration limit)
{
    auto samples = failures(due);
    Hearing hearing(map_, sources, samples);
    const auto was_heard = [&](const Sample& sample) { return !unheard[sample.row]; };
    const bool any_heard = std::ranges::any_of(samples, was_heard);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        hearing.want(i, !any_heard || was_heard(samples[i]));
    }
    if (samples.empty()) {
        co_return samples;
    }
    const auto turn = co_await bus_->take();
    Exchange exchange(*bus_);
    const auto stream = co_await bus_->connection(Duration::zero());
    if (!stream) {
        co_return stream.error();
    }
    frames_.clear(true);
    const auto heard = co_await with_deadline(listen(**stream, hearing, samples.size()), limit);
    if (!heard && !is_late(heard)) {
        co_return heard.error();
    }
    exchange.ended_clean();
    bool any = false;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        any = any || !hearing.is_open(i);
    }
    const auto failure = hearing.damage().value_or(make_error_code(Fault::timed_out));
    if (!any) {
        bus_->unanswered();
        co_return failure;
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
        unheard[samples[i].row] = hearing.is_open(i);
    }
    bus_->answered();
    hearing.give_up(cause_of(failure));
    co_return samples;
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
    auto reading = ends_by_silence ? with_deadline(stream.read_some(buffer), map_.settings.silence)
                                   : stream.read_some(buffer);
    const auto got = co_await std::move(reading);
    if (!got && ends_by_silence && got.error() == Fault::timed_out) {
        frames_.end_here();
        co_return Status();
    }
    if (!got) {
        co_return got.error();
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    frames_.add({reinterpret_cast<const char*>(buffer.data()), *got});
    co_return Status();
}

}  // namespace gateway::ascii
