// Any registers as a SunSpec device: the walk ends, and what is found lies inside the registers.
#include "drivers/sunspec/chain.hpp"
#include "drivers/sunspec/value.hpp"

#include <algorithm>
#include <cstdlib>

using namespace gateway;
using namespace gateway::sunspec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 8) {
        return 0;
    }
    const ByteView image(data + 2, size - 2);
    const auto base = static_cast<std::uint16_t>((data[0] << 8) | data[1]);
    Chain chain(base);
    std::size_t headers = 0;
    while (const auto header = chain.next_header()) {
        if (++headers > Chain::most_models + 1) {
            std::abort();
        }
        const auto at = 2UL * (*header - base);
        if (!chain.take(image.subspan(
                std::min(at, image.size()),
                std::min<std::size_t>(4, image.size() - std::min(at, image.size()))))) {
            break;
        }
    }
    for (const auto& model : chain.models()) {
        if (std::uint32_t{model.first} + model.length > 65'536) {
            std::abort();
        }
    }
    for (const auto type : {Type::int16, Type::uint32, Type::float32, Type::text, Type::acc64}) {
        const auto encoding = encoding_of(type, 4);
        if (image.size() < 2UL * encoding.words) {
            continue;
        }
        auto value = modbus::decode(encoding, image.first(2UL * encoding.words));
        if (!value) {
            continue;
        }
        Sample sample{.raw = std::move(*value), .device_time = {}};
        interpret(type, sample);
        const Sample factor{.raw = Value::integer(static_cast<std::int8_t>(image[0])),
                            .device_time = {}};
        if (type != Type::text) {
            apply_factor(factor, sample);
        }
        if ((sample.quality == Quality::good) == sample.raw.is_none()) {
            std::abort();
        }
    }
    return 0;
}
