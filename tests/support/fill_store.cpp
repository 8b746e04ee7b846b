// fill_store SITE ROWS READINGS: puts rows of readings of the site's first device into its store,
// as a long outage would. Each reading is of point 0; its number counts on from 1.
#include "gateway/config/last_good.hpp"
#include "gateway/store/outbox.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace gateway;

void fill(const Configuration& configuration, int rows, int readings)
{
    auto device = configuration.devices.at(0);
    device.index = 1;
    const auto dictionary = dictionary_json(configuration.site, device, {});
    const auto hash = dictionary_hash(dictionary);
    Outbox outbox({.directory = configuration.site.store.path,
                   .box = configuration.site.id,
                   .boot = Id128::random(),
                   .budget_bytes = configuration.site.store.budget_bytes});
    outbox.put_dictionary(hash, dictionary);
    outbox.announce_epochs({});
    std::int64_t number = 0;
    for (int row = 0; row < rows; ++row) {
        Commit commit;
        PendingBatch batch{Lane::telemetry, {}, {}, {{device.index, hash}}, {}};
        for (int i = 0; i < readings; ++i) {
            Reading reading;
            reading.alias = {device.index, 0};
            reading.time = BootTime(std::chrono::milliseconds(number));
            reading.value = Value::integer(++number);
            batch.readings.push_back(reading);
        }
        commit.batches.push_back(std::move(batch));
        outbox.commit(commit);
        outbox.checkpoint();
    }
    outbox.close_epoch();
}

}  // namespace

int main(int count, char** words)
{
    if (count != 4) {
        std::fputs("fill_store SITE ROWS READINGS\n", stderr);
        return 64;
    }
    Mistakes mistakes;
    const auto configuration = check_site(words[1], "", mistakes);
    if (!mistakes.empty()) {
        std::fputs(mistakes.text().c_str(), stderr);
        return 78;
    }
    fill(configuration, std::atoi(words[2]), std::atoi(words[3]));
    return 0;
}
