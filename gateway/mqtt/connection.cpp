#include "gateway/mqtt/connection.hpp"

#include "gateway/runtime/deadline.hpp"
#include "gateway/tls/probe.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace gateway::mqtt {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

asio::awaitable<Status> connect_to(std::shared_ptr<tcp::socket> socket, tcp::endpoint endpoint)
{
    const auto [error] =
        co_await socket->async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    co_return error ? Status(error) : Status();
}

}  // namespace

Client::Connection::Connection(asio::any_io_executor executor, Options options)
    : executor_(std::move(executor)), options_(std::move(options)), watch_(executor_)
{
}

std::shared_ptr<Client::Connection> Client::Connection::make(asio::any_io_executor executor,
                                                             Worker& worker, Options options)
{
    std::shared_ptr<Connection> made(new Connection(executor, options));
    auto deliver = [weak = std::weak_ptr(made)] {
        if (const auto self = weak.lock()) {
            self->deliver();
        }
    };
    made->link_ =
        std::make_shared<Link>(std::move(executor), worker, std::move(options), std::move(deliver));
    return made;
}

Client::Connection::Id Client::Connection::expect(Done done, bool publish)
{
    const auto id = ++last_id_;
    pending_.emplace(id, Pending{std::move(done), publish});
    return id;
}

asio::awaitable<Completion> Client::Connection::wait_for(std::shared_ptr<Connection> self,
                                                         std::function<void(Done)> start,
                                                         std::chrono::milliseconds limit)
{
    struct Waiting {
        asio::steady_timer timer;
        std::optional<Completion> result;
    };
    auto waiting =
        std::make_shared<Waiting>(Waiting{asio::steady_timer(self->executor_, limit), {}});
    auto done = [waiting](Completion completion) {
        waiting->result = std::move(completion);
        waiting->timer.cancel();
    };
    start(std::move(done));
    Error woken;
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (waiting->result) {
        co_return std::move(*waiting->result);
    }
    if (woken) {
        throw boost::system::system_error(woken);  // cancelled by our owner
    }
    Completion late;
    late.outcome.error = make_error_code(Fault::timed_out);
    late.text = late.outcome.error.message();
    co_return late;
}

asio::awaitable<Result<Session>> Client::Connection::connect(std::shared_ptr<Connection> self)
{
    auto start = [self](Done done) {
        const auto id = self->expect(std::move(done), false);
        self->link_->connect(id);
    };
    auto completion = co_await wait_for(self, std::move(start), self->options_.connect_timeout);
    if (completion.outcome.error) {
        self->problem = completion.text;
        co_await find_out(self, completion.outcome.error);
        co_return completion.outcome.error;
    }
    co_return completion.session.value_or(Session{});
}

/// The library never says expired, name or authority, nor why there is no connection at all.
asio::awaitable<void> Client::Connection::find_out(std::shared_ptr<Connection> self, Error error)
{
    const auto& options = self->options_;
    if (error.category() == reason_category()) {
        const bool unknown =
            error.value() == bad_user_or_password || error.value() == not_authorized;
        self->problem = "the broker refuses this client (" + self->problem + ')' +
                        (unknown ? ": its name, certificate or password is not known there" : "");
    } else if (options.tls) {
        const WallTime now =
            std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        tls::Peer peer{.address = options.address,
                       .port = options.port,
                       .name = options.server_name,
                       .ca_file = options.ca_file,
                       .certificate_file = options.certificate_file,
                       .key_file = options.key_file,
                       .at = options.certificate_time.value_or(now)};
        self->link_->close();  // a connect that still waits would hold the turn of the next one
        self->finding = co_await tls::probe(std::move(peer), options.connect_timeout);
        if (self->finding.trouble != tls::Trouble::none) {
            self->problem = self->finding.text;
        } else {
            self->problem += "; " + self->finding.text;
        }
    } else if (error != Fault::timed_out) {
        Error unread;
        const tcp::endpoint endpoint(asio::ip::make_address(options.address, unread), options.port);
        auto socket = std::make_shared<tcp::socket>(self->executor_);
        const auto connected =
            co_await with_deadline(connect_to(socket, endpoint), options.connect_timeout);
        self->problem = connected ? self->problem : connected.error().message();
    }
}

asio::awaitable<Status> Client::Connection::subscribe(std::shared_ptr<Connection> self,
                                                      std::string topic)
{
    auto start = [self, topic = std::move(topic)](Done done) {
        const auto id = self->expect(std::move(done), false);
        self->link_->subscribe(id, topic);
    };
    auto completion = co_await wait_for(self, std::move(start), self->options_.answer_timeout);
    if (completion.outcome.error) {
        self->problem = completion.text;
        co_return completion.outcome.error;
    }
    co_return Status();
}

asio::awaitable<Outcome> Client::Connection::publish(std::shared_ptr<Connection> self,
                                                     std::string topic, std::string payload,
                                                     bool retained)
{
    auto bytes = std::make_shared<const Bytes>(payload.begin(), payload.end());
    auto start = [self, topic = std::move(topic), bytes, retained](Done done) {
        self->publish(topic, bytes, retained, [done = std::move(done)](Outcome outcome) {
            Completion completion;
            completion.outcome = outcome;
            done(std::move(completion));
        });
    };
    // Completed at the latest when the answers are missed, so this limit is a second line.
    const auto limit = self->options_.answer_timeout * 4;
    const auto completion = co_await wait_for(self, std::move(start), limit);
    co_return completion.outcome;
}

asio::awaitable<void> Client::Connection::disconnect(std::shared_ptr<Connection> self,
                                                     std::chrono::milliseconds limit)
{
    if (!self->connected_ || self->lost_) {
        co_return;
    }
    auto start = [self, limit](Done done) {
        const auto id = self->expect(std::move(done), false);
        self->link_->disconnect(id, limit);
    };
    const auto completion = co_await wait_for(self, std::move(start), limit);
    self->lost_ = true;
    self->fail_all({make_error_code(Fault::closed), "disconnected"});
}

void Client::Connection::publish(std::string topic, std::shared_ptr<const Bytes> payload,
                                 bool retained, std::function<void(Outcome)> done)
{
    const auto id = expect(
        [done = std::move(done)](const Completion& completion) { done(completion.outcome); }, true);
    if (lost_) {
        link_->add(Completed{id, {{make_error_code(Fault::closed), 0}, {}, {}}});
        return;
    }
    waiting_.push_back({id, std::move(topic), std::move(payload), retained});
    send_next();
}

void Client::Connection::send_next()
{
    while (!waiting_.empty() && in_flight_ < receive_maximum_) {
        auto next = std::move(waiting_.front());
        waiting_.pop_front();
        if (in_flight_++ == 0) {
            last_answer_ = std::chrono::steady_clock::now();
        }
        link_->publish(next.id, std::move(next.topic), std::move(next.payload), next.retained);
    }
    if (in_flight_ > 0 && !watching_) {
        watching_ = true;
        watch_answers();
    }
}

/// One timer for all publishes: acknowledged progress is what shows that a connection lives.
void Client::Connection::watch_answers()
{
    watch_.expires_at(last_answer_ + options_.answer_timeout);
    watch_.async_wait([self = shared_from_this()](Error error) {
        if (error || self->detached_) {
            return;
        }
        const auto silent = std::chrono::steady_clock::now() - self->last_answer_;
        if (self->in_flight_ == 0) {
            self->watching_ = false;
        } else if (silent >= self->options_.answer_timeout) {
            self->lose({make_error_code(Fault::timed_out), "no acknowledgement from the broker"});
        } else {
            self->watch_answers();
        }
    });
}

void Client::Connection::deliver()
{
    auto events = link_->take_events();
    for (auto& event : events) {
        if (detached_) {
            return;
        }
        std::visit([this](auto& what) { handle(std::move(what)); }, event);
    }
    if (!detached_ && !lost_) {
        send_next();
    }
}

void Client::Connection::handle(Message message) const
{
    if (on_message && !lost_) {
        on_message(std::move(message));
    }
}

/// One-shot: the library completes a connect twice, and what we failed ourselves may still
/// complete.
void Client::Connection::handle(Completed completed)
{
    auto found = pending_.extract(completed.id);
    if (found.empty()) {
        return;
    }
    if (found.mapped().publish) {
        in_flight_ -= std::min<std::size_t>(in_flight_, 1);
        last_answer_ = std::chrono::steady_clock::now();
    }
    if (completed.completion.session) {
        connected_ = true;
        receive_maximum_ = completed.completion.session->receive_maximum;
    }
    found.mapped().done(std::move(completed.completion));
}

void Client::Connection::handle(Lost lost)
{
    if (connected_) {
        lose(std::move(lost.failure));
    }
}

void Client::Connection::lose(Failure failure)
{
    if (std::exchange(lost_, true)) {
        return;
    }
    problem = failure.text;
    fail_all(failure);
    if (on_lost && !detached_) {
        on_lost(failure.error, failure.text);
    }
}

void Client::Connection::fail_all(const Failure& failure)
{
    waiting_.clear();
    in_flight_ = 0;
    watch_.cancel();
    for (auto& [id, pending] : std::exchange(pending_, {})) {
        if (!detached_) {
            pending.done({{failure.error, 0}, failure.text, {}});
        }
    }
}

void Client::Connection::detach()
{
    detached_ = true;
    watch_.cancel();
    link_->close();
}

}  // namespace gateway::mqtt
