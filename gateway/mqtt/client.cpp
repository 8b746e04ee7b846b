#include "gateway/mqtt/client.hpp"

#include "gateway/mqtt/connection.hpp"

#include <utility>

namespace gateway::mqtt {

namespace asio = boost::asio;

Client::Client(asio::any_io_executor executor, Worker& worker, Options options)
    : connection_(Connection::make(std::move(executor), worker, std::move(options)))
{
}

Client::~Client()
{
    connection_->detach();
}

void Client::on_message(std::function<void(Message)> handler)
{
    connection_->on_message = std::move(handler);
}

void Client::on_lost(std::function<void(Error, std::string why)> handler)
{
    connection_->on_lost = std::move(handler);
}

asio::awaitable<Result<Session>> Client::connect()
{
    return Connection::connect(connection_);
}

asio::awaitable<Status> Client::subscribe(std::string topic)
{
    return Connection::subscribe(connection_, std::move(topic));
}

void Client::publish(std::string topic, std::shared_ptr<const Bytes> payload, bool retained,
                     std::function<void(Outcome)> done)
{
    connection_->publish(std::move(topic), std::move(payload), retained, std::move(done));
}

asio::awaitable<Outcome> Client::publish(std::string topic, std::string payload, bool retained)
{
    return Connection::publish(connection_, std::move(topic), std::move(payload), retained);
}

asio::awaitable<void> Client::disconnect(std::chrono::milliseconds limit)
{
    return Connection::disconnect(connection_, limit);
}

std::string Client::problem() const
{
    return connection_->problem;
}

const tls::Finding& Client::finding() const
{
    return connection_->finding;
}

}  // namespace gateway::mqtt
