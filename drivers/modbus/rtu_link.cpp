#include "drivers/modbus/link.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gateway::modbus {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

namespace {

/// Reads until the answer is there, until a broken one is over, or until the
/// deadline. `heard` begins at 0 and counts the bytes.
asio::awaitable<Result<Answer>> hear(ByteStream& stream, Request request, Buffer& buffer,
                                     Steady::time_point deadline, Duration pause,
                                     std::size_t& heard)
{
    auto line = Line::silent;
    for (;;) {
        const auto found = find_answer(request, ByteView(buffer).first(heard), line);
        const auto left = deadline - Steady::now();
        const bool broken = line == Line::silent && !found && found.error() == Fault::bad_checksum;
        if (found || broken || left <= Duration::zero() || heard == buffer.size()) {
            co_return found;
        }
        const auto rest = std::span(buffer).subspan(heard);
        const auto got = co_await stream.within(
            line == Line::talking ? std::min(left, pause) : left, stream.read_some(rest));
        if (!got && got.error() != Fault::timed_out) {
            co_return got.error();
        }
        heard += got ? *got : 0;
        line = got ? Line::talking : Line::silent;
    }
}

/// A question on its way; owed, unless it is settled.
class Unanswered {
public:
    Unanswered(Owed& owed, const Request& request) : owed_(owed), request_(request) {}
    Unanswered(const Unanswered&) = delete;
    Unanswered& operator=(const Unanswered&) = delete;
    ~Unanswered()
    {
        if (!settled_) {
            owed_.unanswered(request_);
        }
    }
    void settle(const Result<Answer>& answer)
    {
        if (answer) {
            owed_.answered(request_, answer->exception != 0);
        }
        // A damaged answer has come, and nothing was due but this one, as far as anybody knows.
        settled_ =
            answer || answer.error() == Fault::bad_checksum || answer.error() == Fault::short_frame;
    }

private:
    Owed& owed_;
    const Request request_;
    bool settled_ = false;
};

class RtuLink final : public Link {
public:
    explicit RtuLink(RtuLine line) : line_(std::move(line)) {}

    asio::awaitable<Result<Answer>> exchange(Request request, Buffer& buffer, Wire& wire) override
    {
        wire.framing = Framing::modbus_rtu;
        // A late answer may come at any time. What cannot be mistaken for it is asked first.
        const auto probe =
            owed_.may_be_mistaken_for(request) ? owed_.probe_for(request) : std::nullopt;
        if (probe) {
            const auto settled = co_await ask(*probe, buffer, wire);
            if (!settled) {
                forget_probes_that_nobody_answers();
                co_return settled.error();
            }
            silent_probes_ = 0;
        }
        co_return co_await ask(request, buffer, wire);
    }

private:
    asio::awaitable<Result<Answer>> ask(Request request, Buffer& buffer, Wire& wire)
    {
        wire.sent = {};
        wire.received = 0;
        co_await wait_for_late_answers();
        const auto turn = co_await line_.bus->take();
        const auto stream = co_await line_.bus->connection(line_.gap);
        if (!stream) {
            co_return stream.error();
        }
        wire.sent = encode_rtu(request);
        const auto characters = wire.sent.size + rtu_answer_size(request);
        const auto limit = line_.timeout + line_.character * static_cast<int>(characters);
        not_before_ = Steady::now() + limit + lateness();  // also when this is cancelled
        Unanswered unanswered(owed_, request);             // likewise
        const auto sent = co_await (*stream)->within(limit, (*stream)->write(wire.sent.view()));
        if (!sent) {
            line_.bus->close();
            co_return sent.error();
        }
        const auto answer = co_await hear(**stream, request, buffer, Steady::now() + limit,
                                          line_.pause, wire.received);
        unanswered.settle(answer);
        settle(answer);
        co_return answer;
    }

    /// Some units keep silent on what they would have to refuse. Of them no answer is expected
    /// that is later than two more questions.
    void forget_probes_that_nobody_answers()
    {
        constexpr unsigned most_silent_probes = 2;
        if (++silent_probes_ == most_silent_probes) {
            owed_ = {};
            silent_probes_ = 0;
        }
    }

    /// How long after its time an answer may still come.
    Duration lateness() const { return 2 * line_.timeout; }

    asio::awaitable<void> wait_for_late_answers()
    {
        if (not_before_ > Steady::now()) {
            asio::steady_timer timer(co_await asio::this_coro::executor, not_before_);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    void settle(const Result<Answer>& answer)
    {
        const bool answered = answer || answer.error() == Fault::bad_checksum;
        if (answered) {
            not_before_ = {};
            line_.bus->answered();
            return;
        }
        not_before_ = Steady::now() + lateness();
        if (answer.error().category() != fault_category() || answer.error() == Fault::closed ||
            line_.reopen_when_late) {
            line_.bus->close();
        } else {
            line_.bus->unanswered();
        }
    }

    RtuLine line_;
    Owed owed_;
    unsigned silent_probes_ = 0;
    Steady::time_point not_before_;
};

}  // namespace

std::unique_ptr<Link> make_rtu_link(RtuLine line)
{
    return std::make_unique<RtuLink>(std::move(line));
}

}  // namespace gateway::modbus
