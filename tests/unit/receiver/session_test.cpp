#include "tests/unit/receiver/reception_fixture.hpp"

#include "gateway/receiver/session.hpp"
#include "tests/support/loop.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <random>

namespace gateway::session_test {
namespace {

namespace asio = boost::asio;
using namespace test;
using namespace std::chrono_literals;

/// The real program, ended with the object.
class Program {
public:
    Program(std::vector<std::string> arguments, std::string log)
        : arguments_(std::move(arguments)), log_(std::move(log))
    {
        start();
    }
    ~Program()
    {
        if (pid_ != 0) {
            end(SIGKILL);
        }
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void start()
    {
        std::vector<char*> argv;
        std::string emulator = EMULATOR;  // where this machine's processor is not the program's
        if (!emulator.empty()) {
            argv.push_back(emulator.data());
        }
        for (auto& argument : arguments_) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 2, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        EXPECT_EQ(posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
    }
    /// Its exit code, -1 when killed.
    int end(int signal)
    {
        int status = 0;
        kill(pid_, signal);
        waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    std::vector<std::string> arguments_;
    std::string log_;
    pid_t pid_ = 0;
};

/// A box that keeps every batch until a receipt covers it.
class TestBox {
public:
    TestBox(asio::any_io_executor executor, Worker& worker, std::uint16_t port)
    {
        mqtt::Options options;
        options.address = "127.0.0.1";
        options.port = port;
        options.client_id = box;
        client_ = std::make_unique<mqtt::Client>(executor, worker, std::move(options));
        client_->on_message([this](const mqtt::Message& message) { heard(message); });
    }

    asio::awaitable<void> connect()
    {
        const auto session = co_await client_->connect();
        EXPECT_TRUE(session.has_value()) << client_->problem();
        co_await client_->subscribe(receipt_topic(org, box));
        publish(dictionary());
        publish(test::birth({{epoch, {1, 0}}}, epoch));
        for (const auto& [first, bytes] : sent_) {
            publish(test::batch(bytes));
        }
    }
    void send(std::uint64_t first, std::size_t count)
    {
        const auto& bytes = sent_[first] = readings(first, count);
        publish(test::batch(bytes));
    }
    void publish(const mqtt::Message& message)
    {
        client_->publish(message.topic, std::make_shared<const Bytes>(message.payload),
                         message.retained, [](mqtt::Outcome) {});
    }
    const RangeSet& settled() const { return settled_; }
    int receipts() const { return receipts_; }
    int hellos() const { return hellos_; }

private:
    void heard(const mqtt::Message& message)
    {
        const auto text = std::string(message.payload.begin(), message.payload.end());
        const auto receipt = json::parse(text).as_object();
        ++receipts_;
        const auto& epochs = receipt.at("epochs").as_object();
        if (const auto* lanes = epochs.if_contains(epoch.hex())) {
            if (const auto* ranges = lanes->as_object().if_contains("telemetry")) {
                for (const auto& range : ranges->as_array()) {
                    settled_.add({range.at(0).to_number<std::uint64_t>(),
                                  range.at(1).to_number<std::uint64_t>()});
                }
            }
        }
        if (!receipt.at("hello").as_bool()) {
            return;
        }
        ++hellos_;
        for (const auto& [first, bytes] : sent_) {
            if (!settled_.contains({first, first})) {
                publish(test::batch(bytes));
            }
        }
    }

    std::unique_ptr<mqtt::Client> client_;
    std::map<std::uint64_t, Bytes> sent_;
    RangeSet settled_;
    int receipts_ = 0;
    int hellos_ = 0;
};

class SmartReceiver : public ReceptionTest {
protected:
    SmartReceiver() { reception.reset(); }

    std::unique_ptr<Program> receiver(std::vector<std::string> more = {})
    {
        std::vector<std::string> arguments{SMART_RECEIVER,
                                           "--broker",
                                           "mqtt://127.0.0.1:" + std::to_string(broker.port()),
                                           "--out",
                                           file(),
                                           "--state",
                                           folder.path() / "state"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return std::make_unique<Program>(arguments, folder.path() / "log");
    }
    std::unique_ptr<TestBox> make_box()
    {
        return std::make_unique<TestBox>(loop.get_executor(), worker, broker.port());
    }
    void run(asio::awaitable<void> body) { run_test(loop, std::move(body), 50s); }
    std::string log_text() const
    {
        std::ifstream in(folder.path() / "log");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    Broker broker;
    Worker worker;
    asio::io_context loop;
};

TEST_F(SmartReceiver, W08_W09_W10_KilledAnywhereItEndsWithEachKeyOnce)
{
    constexpr std::uint64_t batches = 160;
    constexpr std::uint64_t size = 50;
    constexpr int kills = 8;
    auto program = receiver();
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = make_box();
        co_await sender->connect();
        std::mt19937 random(3);
        asio::steady_timer timer(loop);
        for (std::uint64_t number = 0; number < batches; ++number) {
            sender->send(1 + number * size, size);
            timer.expires_after(std::chrono::milliseconds(random() % 20));
            co_await timer.async_wait(asio::use_awaitable);
            if (number % (batches / kills) == 7) {
                program->end(SIGKILL);
                program->start();
            }
        }
        const Range all{1, batches * size};
        const auto arrived =
            co_await eventually([&] { return sender->settled().contains(all); }, 30s);
        EXPECT_TRUE(arrived) << log_text();
        EXPECT_GT(sender->hellos(), 0);
    };
    run(body());
    EXPECT_EQ(program->end(SIGTERM), 0);
    auto got = sequences();
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, counting(1, batches * size));
}

TEST_F(SmartReceiver, GoesOnAfterTheBrokerWasGone)
{
    auto program = receiver();
    auto body = [&]() -> asio::awaitable<void> {
        {
            auto sender = make_box();
            co_await sender->connect();
            sender->send(1, 10);
            const Range first{1, 10};
            EXPECT_TRUE(co_await eventually([&] { return sender->settled().contains(first); }));
        }
        broker.kill();
        EXPECT_TRUE(co_await eventually(
            [&] { return log_text().find("broker not connected") != std::string::npos; }));
        broker.start();
        // What is published while nobody listens yet is gone, and this box does not ask for it.
        const auto is_back = [&] {
            const auto text = log_text();
            const std::string back = "broker connected";
            return text.find(back, text.find(back) + 1) != std::string::npos;
        };
        EXPECT_TRUE(co_await eventually(is_back, 60s)) << log_text();
        auto sender = make_box();
        co_await sender->connect();
        sender->send(11, 10);
        const Range second{1, 20};
        EXPECT_TRUE(co_await eventually([&] { return sender->settled().contains(second); }, 30s))
            << log_text();
    };
    run(body());
    program->end(SIGTERM);
    EXPECT_EQ(sequences(), counting(1, 20));
}

TEST_F(SmartReceiver, ChecksAtTheEndAndByCommand)
{
    std::uint64_t sum = 0;
    for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
        sum += mix_of(1, sequence);
    }
    auto program = receiver({"--check"});
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = make_box();
        co_await sender->connect();
        // A manifest is not retained: it is for who listens.
        EXPECT_TRUE(co_await eventually([&] { return sender->receipts() > 0; }));
        sender->publish(manifest(10, 10, sum));
        sender->send(1, 10);
        const Range all{1, 10};
        EXPECT_TRUE(co_await eventually([&] { return sender->settled().contains(all); }));
    };
    run(body());
    EXPECT_EQ(program->end(SIGTERM), 0);
    const auto text = log_text();
    EXPECT_NE(text.find("telemetry   complete"), std::string::npos) << text;
    EXPECT_NE(text.find(R"({"summary":{"batches":1,"readings":10,)"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("check":{"result":"complete")"), std::string::npos) << text;
    Program command({SMART_RECEIVER, "check", "--state", folder.path() / "state"},
                    folder.path() / "log");
    EXPECT_EQ(command.end(0), 0);
    Program absent({SMART_RECEIVER, "check", "--state", folder.path() / "nowhere"},
                   folder.path() / "log");
    EXPECT_EQ(absent.end(0), 2);
    Program wrong({SMART_RECEIVER, "--broker", "http://x", "--out", "none"}, folder.path() / "log");
    EXPECT_EQ(wrong.end(0), 64);
    Program roster({SMART_RECEIVER, "--broker", "mqtt://127.0.0.1", "--out", "none", "--roster",
                    "/nonexistent/roster"},
                   folder.path() / "log");
    EXPECT_EQ(roster.end(0), 78);
}

TEST(BrokerUrl, IsHostAndPortWithOrWithoutTls)
{
    SessionSettings settings;
    EXPECT_TRUE(parse_broker("mqtts://platform.example", settings));
    EXPECT_TRUE(settings.connection.tls);
    EXPECT_EQ(settings.host, "platform.example");
    EXPECT_EQ(settings.connection.port, 8883);
    EXPECT_TRUE(parse_broker("mqtt://[::1]:1884/", settings));
    EXPECT_EQ(settings.host, "::1");
    EXPECT_EQ(settings.connection.port, 1884);
    EXPECT_FALSE(settings.connection.tls);
    for (const auto* bad : {"", "127.0.0.1:1883", "mqtt://", "mqtt://h:0", "mqtt://h:70000",
                            "mqtt://h:1x", "mqtt://[::1", "mqtt://h/topic"}) {
        EXPECT_FALSE(parse_broker(bad, settings)) << bad;
    }
}

}  // namespace
}  // namespace gateway::session_test
