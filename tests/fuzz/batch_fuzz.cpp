#include "gateway/store/batch.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace gateway;

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

void check(const BatchHeader& header, const std::vector<Reading>& readings)
{
    expect(!readings.empty() && readings.size() <= most_readings_in_batch);
    for (const auto& reading : readings) {
        const auto named = [&](const DictionaryRef& ref) {
            return ref.device == reading.alias.device;
        };
        expect(reading.alias.device == 0 ||
               std::any_of(header.dictionaries.begin(), header.dictionaries.end(), named));
    }
    const auto again = decode(encode(header, readings));
    expect(again && std::get<std::vector<Reading>>(again->content) == readings);
}

}  // namespace

/// Whatever the bytes, a batch that is taken keeps the limits of protocol.md, section 2, and is
/// itself again after another round.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView message(data, size);
    const auto summary = decode_header(message);
    const auto batch = decode(message);
    if (!batch) {
        return 0;
    }
    const auto loss = BatchDecoder().decode_as_loss(message);
    expect(loss && std::get<Tombstone>(loss->content).count == batch->count());
    expect(summary && summary->count == batch->count() && batch->count() > 0);
    if (const auto* readings = std::get_if<std::vector<Reading>>(&batch->content)) {
        check(batch->header, *readings);
    }
    return 0;
}
