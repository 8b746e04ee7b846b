#include "gateway/store/outbox.hpp"

#include "gateway/store/outbox_state.hpp"

#include <utility>

namespace gateway {

Outbox::Outbox(OutboxSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}
Outbox::~Outbox() = default;

bool Outbox::open()
{
    return state_->open();
}
bool Outbox::is_usable() const
{
    return state_->is_usable();
}
const EpochId& Outbox::epoch() const
{
    return state_->epoch();
}
std::uint32_t Outbox::epoch_number() const
{
    return state_->epoch_number();
}
std::vector<StoredBatch> Outbox::announce_epochs(Moment now)
{
    return state_->need([&](Database& store) { return store.announce_epochs(now); });
}
std::vector<StoredBatch> Outbox::commit(const Commit& commit)
{
    return commit_to(epoch_number(), commit);
}
std::vector<StoredBatch> Outbox::commit_to(std::uint32_t epoch_number, const Commit& commit)
{
    return state_->need([&](Database& store) { return store.commit(epoch_number, commit); });
}
void Outbox::put_dictionary(DictionaryHash hash, const std::string& bytes)
{
    state_->need([&](Database& store) { store.put_dictionary(hash, bytes); });
}
std::optional<std::string> Outbox::dictionary(DictionaryHash hash)
{
    return state_->ask([&](Database& store) { return store.dictionary(hash); });
}
std::vector<DictionaryHash> Outbox::dictionaries_held()
{
    return state_->ask([](Database& store) { return store.dictionaries_held(); });
}
std::vector<StoredBatch> Outbox::read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                      std::size_t most_bytes)
{
    return state_->ask(
        [&](Database& store) { return store.read(lane, epoch_number, after, most_bytes); });
}
Outbox::ReceiptOutcome Outbox::apply_receipt(const EpochId& epoch, Lane lane,
                                             const std::vector<Range>& ranges)
{
    return state_->ask([&](Database& store) { return store.apply_receipt(epoch, lane, ranges); });
}
void Outbox::note_told(const EpochId& epoch, Lane lane, Range range)
{
    state_->ask([&](Database& store) { store.note_told(epoch, lane, range); });
}
RangeSet Outbox::received(std::uint32_t epoch_number, Lane lane)
{
    return state_->ask([&](Database& store) { return store.received(epoch_number, lane); });
}
std::optional<StoredBatch> Outbox::declare_lost(std::uint32_t epoch_number, Lane lane,
                                                std::uint64_t first, LossReason reason)
{
    return state_->ask(
        [&](Database& store) { return store.declare_lost(epoch_number, lane, first, reason); });
}
std::vector<StoredBatch> Outbox::split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                       std::size_t most_bytes)
{
    return state_->ask(
        [&](Database& store) { return store.split(epoch_number, lane, first, most_bytes); });
}
std::vector<EpochState> Outbox::epochs()
{
    return state_->epochs();
}
void Outbox::forget(const EpochId& epoch)
{
    state_->ask([&](Database& store) { store.forget(epoch); });
}
StoreUse Outbox::use()
{
    return state_->use();
}
void Outbox::set_state(const std::string& key, const std::string& value)
{
    state_->ask([&](Database& store) { store.set_state(key, value); });
}
std::optional<std::string> Outbox::state(const std::string& key)
{
    return state_->ask([&](Database& store) { return store.state(key); });
}
bool Outbox::checkpoint()
{
    return state_->ask([](Database& store) { return store.checkpoint(); });
}
bool Outbox::keep_for_salvage(const SpooledBatch& spooled)
{
    return state_->ask([&](Database& store) { return store.keep_for_salvage(spooled); });
}
SalvageStep Outbox::salvage()
{
    return state_->ask([](Database& store) { return store.salvage(); });
}
void Outbox::write_heads()
{
    state_->ask([](Database& store) { store.write_heads(); });
}
void Outbox::close_epoch(std::optional<Moment> now)
{
    state_->ask([&](Database& store) { store.close_epoch(now); });
}
std::vector<Event> Outbox::take_events()
{
    return state_->take_events();
}

}  // namespace gateway
