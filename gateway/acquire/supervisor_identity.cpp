// Who the device says it is: asked before the first reading, when it comes back, and once a day.
#include "gateway/acquire/identify.hpp"
#include "gateway/acquire/supervisor.hpp"
#include "gateway/runtime/deadline.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr auto identity_lasts = std::chrono::hours(24);

bool quirks_depend_on_firmware(const Profile& profile)
{
    return std::any_of(profile.quirks.begin(), profile.quirks.end(),
                       [](const Quirk& quirk) { return !quirk.firmware.empty(); });
}

}  // namespace

bool Supervisor::is_identity_due() const
{
    return (asks_identity_ || clock_.now() >= identity_until_) && !driver_->may_be_silent();
}

asio::awaitable<Status> Supervisor::ask_identity()
{
    auto identified = co_await identified_now();
    if (!identified) {
        co_return identified.error();
    }
    // What was not said this time still holds.
    for (auto part : {&Identified::serial, &Identified::firmware}) {
        auto& now = (*identified).*part;
        now = now.empty() ? identified_.*part : now;
    }
    asks_identity_ = false;
    identity_until_ = clock_.now() + identity_lasts;
    const bool same = announced_ && identified->verdict == identified_.verdict &&
                      identified->serial == identified_.serial &&
                      identified->firmware == identified_.firmware;
    if (!same) {
        co_await announce(std::move(*identified));
    }
    co_return Status();
}

asio::awaitable<Result<Identified>> Supervisor::identified_now()
{
    const auto& profile = *device_.profile;
    Result<Identified> identified = Identified();
    // An answer that got lost is not yet another device: a mismatch is told twice.
    for (unsigned i = 0; i < 2 && !profile.identify.empty(); ++i) {
        const auto answers = co_await with_deadline(driver_->identify(), settings_.longest_read);
        if (!answers) {
            co_return answers.error();
        }
        identified = identify(profile, *answers);
        if (identified->verdict != IdentityVerdict::mismatch ||
            identified_.verdict == IdentityVerdict::mismatch) {
            break;
        }
    }
    co_return identified;
}

asio::awaitable<void> Supervisor::announce(Identified identified)
{
    const auto before = std::exchange(identified_, std::move(identified));
    const bool replaced = !before.serial.empty() && identified_.serial != before.serial;
    announced_ = true;
    if (before.firmware != identified_.firmware && quirks_depend_on_firmware(*device_.profile)) {
        normaliser_ =
            Normaliser(device_.index, settings_.rules->rules_of(device_, identified_.firmware));
    }
    if (replaced) {
        // The new unit's counters begin where they stand.
        normaliser_.forget();
        stored_.assign(stored_.size(), {});
        due_rows_.forget_counts();
    }
    if (settings_.identified) {
        co_await settings_.identified(identified_);
    }
    if (replaced) {
        emit("device-replaced", Severity::warning,
             "Another serial number answers: " + identified_.serial + ".");
    }
    tell_identity();
}

void Supervisor::tell_identity()
{
    if (identified_.verdict == IdentityVerdict::mismatch) {
        emit("identity-mismatch", Severity::error, "The device is not the model of its profile.");
    }
    if (identified_.verdict == IdentityVerdict::firmware_outside) {
        emit("firmware-outside", Severity::warning,
             "The firmware " + identified_.firmware + " is not one that the profile was made for.");
    }
    const auto& expected = device_.site.serial;
    if (!expected.empty() && !identified_.serial.empty() && identified_.serial != expected) {
        emit("serial-differs", Severity::warning,
             "The site file says serial " + expected + ", the device " + identified_.serial + ".");
    }
}

}  // namespace gateway
