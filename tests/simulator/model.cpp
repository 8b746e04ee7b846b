#include "tests/simulator/model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace simulator {

using gateway::Field;
using gateway::Fraction;
using gateway::Table;

namespace {

void number(const Field& field, double& out)
{
    if (const auto fraction = field.as_fraction()) {
        out = fraction->approximate();
    }
}

void seconds(const Field& field, double& out)
{
    if (const auto duration =
            field.as_duration(gateway::Duration::zero(), gateway::Duration::max())) {
        out = std::chrono::duration<double>(*duration).count();
    }
}

}  // namespace

Model Model::of(Fraction constant)
{
    Model model;
    model.constant_ = constant;
    return model;
}

Model Model::parse(const Field& field)
{
    Model model;
    const auto& value = field.setting()->value;
    if (std::holds_alternative<std::string>(value)) {
        model.kind_ = Kind::text;
        field.text(model.text_, gateway::any_text, 4096);
    } else if (std::holds_alternative<gateway::SettingTable>(value)) {
        field.table([&model](Table& table) { model.parse_table(table); });
    } else {
        field.fraction(model.constant_);
    }
    return model;
}

void Model::parse_table(Table& table)
{
    table.need("model").choice(kind_, {{"constant", Kind::constant},
                                       {"ramp", Kind::ramp},
                                       {"sine", Kind::sine},
                                       {"walk", Kind::walk},
                                       {"counter", Kind::counter},
                                       {"cycle", Kind::cycle},
                                       {"schedule", Kind::schedule},
                                       {"reads", Kind::reads},
                                       {"words", Kind::words}});
    table["value"].fraction(constant_);
    number(table["start"], start_);
    number(table["mean"], start_);
    number(table["per_second"], rate_);
    number(table["amplitude"], rate_);
    number(table["step"], rate_);
    number(table["per_hour"], rate_);
    number(table["low"], low_);
    number(table["high"], high_);
    seconds(table["period"], period_);
    seconds(table["every"], period_);
    table["of"].text(source_);
    for (const auto& item : table["values"].items()) {
        double value = 0;
        number(item, value);
        steps_.emplace_back(static_cast<double>(steps_.size()) * period_, value);
    }
    for (const auto& item : table["at"].items()) {
        const auto pair = item.items(2);
        std::pair<double, double> step;
        if (pair.size() == 2) {
            number(pair[0], step.first);
            number(pair[1], step.second);
        }
        steps_.push_back(step);
    }
    for (const auto& item : table["words"].items()) {
        item.integer(words_.emplace_back(), 0, 65535);
    }
    if ((kind_ == Kind::cycle || kind_ == Kind::schedule) && steps_.empty()) {
        table.mistake("write values = [1, 2] or at = [[0, 1], [10, 2]]");
    }
    if (period_ <= 0) {
        table.mistake("a period is longer than nothing");
    }
}

double Model::next(double seconds, double rate, Random& random)
{
    switch (kind_) {
        case Kind::ramp:
            return start_ + rate_ * seconds;
        case Kind::sine:
            return start_ + rate_ * std::sin(2 * std::numbers::pi * seconds / period_);
        case Kind::walk:
            start_ += std::uniform_real_distribution(-rate_, rate_)(random);
            if (high_ > low_) {
                start_ = std::clamp(start_, low_, high_);
            }
            return start_;
        case Kind::counter: {
            const auto now = source_.empty() ? rate_ : rate;
            start_ += (now + last_rate_) / 2 * (seconds - last_seconds_) / 3600;
            last_rate_ = now;
            last_seconds_ = seconds;
            return start_;
        }
        case Kind::cycle: {
            const auto turn = static_cast<std::size_t>(seconds / period_);
            return steps_[turn % steps_.size()].second;
        }
        case Kind::schedule: {
            auto value = steps_.front().second;
            for (const auto& [from, step] : steps_) {
                value = from <= seconds ? step : value;
            }
            return value;
        }
        case Kind::reads:
            return static_cast<double>(++reads_);
        case Kind::constant:
        case Kind::text:
        case Kind::words:
            break;
    }
    return constant_.approximate();
}

}  // namespace simulator
