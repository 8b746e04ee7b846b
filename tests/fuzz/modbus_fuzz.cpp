#include "drivers/modbus/codec.hpp"
#include "drivers/modbus/registers.hpp"

#include <array>
#include <cstdlib>

namespace {

using namespace gateway;
using namespace gateway::modbus;

constexpr std::array functions{Function::coils, Function::discrete_inputs,
                               Function::holding_registers, Function::input_registers,
                               Function::device_identification};

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

void decode_all(ByteView data)
{
    for (auto type = 0; type <= static_cast<int>(Type::text); ++type) {
        for (const auto order :
             {Order::big, Order::little, Order::big_swapped, Order::little_swapped}) {
            Encoding encoding{.type = static_cast<Type>(type), .order = order};
            encoding.words = words_of(encoding.type);
            if (encoding.words == 0) {
                encoding.words = static_cast<std::uint16_t>(data.size() / 2);
            }
            const auto size = 2U * encoding.words;
            if (size > data.size()) {
                continue;
            }
            const auto value = decode(encoding, data.first(size));
            expect(!value || !value->is_text() || value->text().size() <= size);
        }
    }
}

}  // namespace

/// The first three bytes choose the request, the rest is what came back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) {
        return 0;
    }
    Request request{.unit = 1, .function = functions[data[0] % functions.size()]};
    request.count = static_cast<std::uint16_t>((data[1] << 8 | data[2]) % most_registers + 1);
    if (request.function == Function::device_identification) {
        request.count = static_cast<std::uint16_t>(data[1] % 3 + 1);
    }
    const ByteView frame(data + 3, size - 3);
    if (const auto length = frame_size(frame)) {
        expect(*length > header_size && *length <= largest_frame);
    }
    const auto answer = decode(1, request, frame);
    if (!answer || answer->exception != 0) {
        return 0;
    }
    if (request.function == Function::device_identification) {
        const auto identification = decode_identification(request, answer->data);
        std::size_t total = 0;
        if (identification) {
            for (const auto& object : identification->objects) {
                total += object.value.size() + 2;
                static_cast<void>(printable(object.value));
            }
        }
        expect(total <= answer->data.size());
        return 0;
    }
    expect(answer->data.size() == data_size(request));
    decode_all(answer->data);
    return 0;
}
