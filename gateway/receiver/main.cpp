#include "gateway/receiver/check.hpp"
#include "gateway/receiver/decode_command.hpp"
#include "gateway/receiver/roster.hpp"
#include "gateway/receiver/session.hpp"
#include "gateway/runtime/log.hpp"
#include "gateway/store/store_error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace gateway {

namespace {

constexpr int wrong_usage = 64;
constexpr int bad_configuration = 78;
constexpr int failed = 70;

constexpr auto description =
    R"(Takes readings from an MQTT broker, writes them as lines of JSON, and tells each box
what is safe. A box keeps every reading until this program has it on its own disk.

  smart-receiver --broker mqtt://127.0.0.1:1883 --out readings.jsonl --state received

One line is one reading, gap, correction or event: schemas/protocol.md, section 9. Every reading
is written once; what is here is known from the state folder, so keep it with the file. Killed at
any moment it goes on where it was. Move the file away while the program is stopped, never while
it runs. One receiver per org sends receipts; others use --receipts off and another --state.

Signals: TERM or INT ends it, USR1 writes the table of `check` to standard error.
Exit codes: 0 stopped; with --check and for the commands 0 complete, 1 not complete, 2 could not
tell; 64 wrong usage, 78 wrong configuration, 70 anything else.)";

struct Arguments {
    ReceptionSettings reception{.out = "", .state = "smart-receiver-state"};
    SessionSettings session;
    std::string broker;
    std::string receipts = "on";
    std::string roster;
    std::string password_file;
    bool check = false;
    bool json = false;
    std::string file;
    std::vector<std::string> dictionaries;
    bool acl = false;
    std::string receiver_name = "receiver";
};

std::string first_line_of(const std::string& path)
{
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) {
        throw BadConfiguration(path + ": cannot be read, or empty");
    }
    return line;
}

void print_summary(const Tally& tally, const std::vector<LaneReport>* report)
{
    auto summary = R"({"summary":)" + tally.to_json();
    if (report != nullptr) {
        std::cerr << table(*report);
        summary += R"(,"check":)" + to_json(*report);
    }
    std::cerr << summary << "}\n";
}

int receive(Arguments& arguments)
{
    if (!arguments.roster.empty()) {
        arguments.reception.roster = read_roster(arguments.roster);
    }
    if (!arguments.password_file.empty()) {
        arguments.session.connection.password = first_line_of(arguments.password_file);
    }
    arguments.reception.receipts = arguments.receipts == "on";
    arguments.session.connection.client_id = arguments.reception.receiver;
    std::signal(SIGPIPE, SIG_IGN);

    boost::asio::io_context loop;
    Worker store;
    Worker mqtt;
    Resolver resolver(loop.get_executor());
    Reception reception(arguments.reception);
    std::exception_ptr thrown;
    {
        ReceiverSession session(loop.get_executor(), store, mqtt, resolver, arguments.session,
                                reception);
        auto ended = [&](std::exception_ptr why) { thrown = why; };
        boost::asio::co_spawn(loop, session.run(), ended);
        loop.run();
    }
    store.join();
    mqtt.join();
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    if (!arguments.check) {
        print_summary(reception.tally(), nullptr);
        return 0;
    }
    const auto report = reception.report();
    print_summary(reception.tally(), &report);
    return exit_code(report);
}

int check(const Arguments& arguments)
{
    const auto& folder = arguments.reception.state;
    if (!std::filesystem::exists(folder + "/receiver.db")) {
        std::cerr << folder << ": no state of a receiver\n";
        return 2;
    }
    try {
        LedgerState ledger(folder);
        const auto report = make_report(ledger);
        std::cout << (arguments.json ? to_json(report) + '\n' : table(report));
        return exit_code(report);
    } catch (const StoreError& error) {
        std::cerr << error.what()
                  << "\nto check a receiver that runs: send it USR1, or stop it first\n";
        return 2;
    }
}

int show_roster(const Arguments& arguments)
{
    const auto roster = read_roster(arguments.roster);
    if (arguments.acl) {
        std::cout << access_list(roster, arguments.receiver_name);
        return 0;
    }
    for (const auto& [box, org] : roster) {
        std::cout << box << " = " << org << '\n';
    }
    return 0;
}

struct Commands {
    CLI::App* decode = nullptr;
    CLI::App* check = nullptr;
    CLI::App* roster = nullptr;
};

Commands add_options(CLI::App& app, Arguments& arguments)
{
    auto& connection = arguments.session.connection;
    app.set_version_flag("--version", "smart-receiver " GATEWAY_VERSION);
    app.add_option("--broker", arguments.broker, "mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS");
    app.add_option("--out", arguments.reception.out,
                   "where lines go: a file, - for standard output, none to only keep the books");
    app.add_option("--state", arguments.reception.state, "folder of what is known to be here")
        ->capture_default_str();
    app.add_option("--org", arguments.session.org, "only boxes of this org; without it all")
        ->check(
            [](const std::string& org) { return is_name(org) ? "" : "not the name of an org"; });
    app.add_option("--id", arguments.reception.receiver,
                   "name of this receiver: boxes heed the one that their site file names")
        ->check([](const std::string& id) { return is_name(id) ? "" : "not a receiver's name"; })
        ->capture_default_str();
    app.add_option("--receipts", arguments.receipts, "off: only listen; no box frees anything")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
    app.add_option("--roster", arguments.roster,
                   "file of lines BOX = ORG: no other box is accepted, and none under another org");
    app.add_option("--raw", arguments.session.raw, "folder that gets every message as it came");
    app.add_option("--metrics", arguments.session.metrics,
                   "where figures can be had by HTTP: a Unix socket's path, or 127.0.0.1:PORT")
        ->check([](const std::string& where) {
            return is_metrics_place(where) ? "" : "not a path, and no port of this machine";
        })
        ->allow_extra_args(false);
    app.add_flag("--check", arguments.check, "at the end compare with the boxes' manifests");
    app.add_option("--ca", connection.ca_file, "certificates that the broker's is checked against");
    app.add_option("--cert", connection.certificate_file, "own certificate");
    app.add_option("--key", connection.key_file, "its key");
    app.add_option("--user", connection.user, "user name at the broker");
    app.add_option("--password-file", arguments.password_file,
                   "file whose first line is the password");

    Commands commands;
    commands.decode = app.add_subcommand("decode", "print a message that --raw saved");
    commands.decode->add_option("FILE", arguments.file, "the message")->required();
    commands.decode->add_option("--dictionary", arguments.dictionaries,
                                "saved dictionaries; without them points have numbers only");
    commands.check = app.add_subcommand(
        "check", "is everything here? each gap with its reason; 0 yes, 1 no, 2 could not tell");
    commands.check->add_option("--state", arguments.reception.state, "folder of the receiver")
        ->required();
    commands.check->add_flag("--json", arguments.json, "one line of JSON instead of a table");
    commands.roster =
        app.add_subcommand("roster", "check a roster, or write the broker's access list");
    commands.roster->add_option("FILE", arguments.roster, "lines BOX = ORG")->required();
    commands.roster->add_flag("--acl", arguments.acl, "print the access list for mosquitto");
    commands.roster
        ->add_option("--receiver", arguments.receiver_name, "name in the receiver's certificate")
        ->check([](const std::string& id) { return is_name(id) ? "" : "not a receiver's name"; })
        ->capture_default_str();
    app.require_subcommand(0, 1);
    return commands;
}

int run(int argc, char** argv)
{
    Arguments arguments;
    CLI::App app(description, "smart-receiver");
    const auto commands = add_options(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : wrong_usage;
    }
    if (commands.decode->parsed()) {
        return decode_file(arguments.file, arguments.dictionaries, std::cout, std::cerr);
    }
    if (commands.check->parsed()) {
        return check(arguments);
    }
    if (commands.roster->parsed()) {
        return show_roster(arguments);
    }
    if (!parse_broker(arguments.broker, arguments.session)) {
        std::cerr << "--broker: write mqtt://HOST:PORT or mqtts://HOST:PORT\n";
        return wrong_usage;
    }
    if (arguments.reception.out.empty()) {
        std::cerr << "--out: name a file, - for standard output, or none\n";
        return wrong_usage;
    }
    return receive(arguments);
}

}  // namespace

}  // namespace gateway

int main(int argc, char** argv)
{
    try {
        return gateway::run(argc, argv);
    } catch (const gateway::BadConfiguration& error) {
        std::cerr << error.what() << '\n';
        return gateway::bad_configuration;
    } catch (const std::exception& error) {
        gateway::log(gateway::LogLevel::error, "cannot go on", {{"reason", error.what()}});
        return gateway::failed;
    }
}
