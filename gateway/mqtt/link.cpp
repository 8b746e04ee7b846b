#include "gateway/mqtt/link.hpp"

#include "gateway/mqtt/threads.hpp"
#include "gateway/mqtt/tls_turn.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/errc.hpp>

#include <utility>

namespace gateway::mqtt {

namespace errc = boost::system::errc;

Link::Link(boost::asio::any_io_executor executor, Worker& worker, Options options,
           std::function<void()> deliver)
    : executor_(std::move(executor)),
      worker_(worker),
      options_(std::move(options)),
      deliver_(std::move(deliver))
{
}

// ---- on the loop

/// Runs `call` on the worker; what the library refuses at once completes `id` like any failure.
template <typename Call>
void Link::submit(std::uintptr_t id, Call call)
{
    auto job = [self = shared_from_this(), id, call = std::move(call)] {
        if (self->closed_) {
            return;
        }
        try {
            call(*self);
        } catch (const paho::exception& thrown) {
            auto failure = failure_of(thrown);
            tls_turn::end(self.get());
            self->add(Completed{id, {{failure.error, 0}, std::move(failure.text), {}}});
        }
    };
    worker_.post(std::move(job));
}

void Link::connect(std::uintptr_t id)
{
    auto go = [self = shared_from_this(), id] {
        self->submit(id, [id](Link& link) { link.open(id); });
    };
    if (options_.tls) {
        tls_turn::take(this, std::move(go));
    } else {
        go();
    }
}

void Link::subscribe(std::uintptr_t id, std::string topic)
{
    submit(id, [id, topic = std::move(topic)](Link& link) {
        link.client_->subscribe(topic, 1, context_of(id), link);
    });
}

void Link::publish(std::uintptr_t id, std::string topic, std::shared_ptr<const Bytes> payload,
                   bool retained)
{
    submit(id, [id, topic = std::move(topic), payload = std::move(payload), retained](Link& link) {
        link.client_->publish(topic, payload->data(), payload->size(), 1, retained, context_of(id),
                              link);
    });
}

void Link::disconnect(std::uintptr_t id, std::chrono::milliseconds limit)
{
    submit(id, [id, limit](Link& link) {
        link.client_->disconnect(static_cast<int>(limit.count()), context_of(id), link);
    });
}

std::vector<LinkEvent> Link::take_events()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
}

void Link::close()
{
    closed_ = true;
    // No callback runs once this has returned: the library destroys a client under its lock.
    worker_.post([self = shared_from_this()] {
        self->client_.reset();
        tls_turn::end(self.get());
    });
}

// ---- on the worker

void Link::open(std::uintptr_t id)
{
    if (!can_start_threads()) {
        tls_turn::end(this);
        const auto failed = make_error_code(errc::resource_unavailable_try_again);
        add(Completed{id, {{failed, 0}, "no thread can be started", {}}});
        return;
    }
    client_ = std::make_unique<paho::async_client>(uri(options_), options_.client_id,
                                                   create_options(options_));
    client_->set_connection_lost_handler([this](const std::string& cause) {
        add(Lost{{make_error_code(Fault::closed), cause.empty() ? "connection lost" : cause}});
    });
    client_->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode code) {
        const Error error(code, reason_category());
        add(Lost{{error, error.message()}});
    });
    client_->set_message_callback([this](const paho::const_message_ptr& message) {
        const auto& payload = message->get_payload();
        add(Message{message->get_topic(), Bytes(payload.begin(), payload.end()),
                    message->is_retained()});
    });
    client_->connect(connect_options(options_), context_of(id), *this);
}

// ---- on the library's threads

void Link::on_success(const paho::token& token)
{
    Completion completion;
    if (token.get_type() == paho::token::CONNECT) {
        tls_turn::end(this);
        completion.session = session_of(token);
    } else if (token.get_type() == paho::token::PUBLISH) {
        completion.outcome.reason_code = static_cast<int>(token.get_reason_code());
    }
    add(Completed{id_of(token), std::move(completion)});
}

void Link::on_failure(const paho::token& token)
{
    if (token.get_type() == paho::token::CONNECT) {
        tls_turn::end(this);
    }
    auto failure = failure_of(token);
    Completion completion;
    if (token.get_type() == paho::token::PUBLISH && failure.error.category() == reason_category()) {
        completion.outcome.reason_code = failure.error.value();
    } else {
        completion.outcome.error = failure.error;
    }
    completion.text = std::move(failure.text);
    add(Completed{id_of(token), std::move(completion)});
}

void Link::add(LinkEvent event)
{
    auto self = weak_from_this().lock();
    if (!self || closed_) {  // null in the destructor; an exception on a thread of the library's
        return;              // would end the process
    }
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = events_.empty();
        events_.push_back(std::move(event));
    }
    if (first) {
        boost::asio::post(executor_, [self = std::move(self)] { self->deliver_(); });
    }
}

}  // namespace gateway::mqtt
