// What a serial line may carry after any request: whatever is taken for the answer fits it.
#include "drivers/modbus/rtu.hpp"

#include <cstdlib>

using namespace gateway;
using namespace gateway::modbus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 4) {
        return 0;
    }
    constexpr Function functions[] = {Function::coils, Function::discrete_inputs,
                                      Function::holding_registers, Function::input_registers,
                                      Function::device_identification};
    Request request{.unit = data[0], .function = functions[data[1] % 5], .first = data[2]};
    const bool bits = is_bit_table(request.function);
    const bool identification = request.function == Function::device_identification;
    const unsigned most = identification ? 3 : bits ? most_coils : most_registers;
    request.count = static_cast<std::uint16_t>(1 + data[3] % most);
    const ByteView heard(data + 4, size - 4);
    for (const auto line : {Line::talking, Line::silent}) {
        const auto answer = find_answer(request, heard, line);
        if (!answer || answer->exception != 0) {
            continue;
        }
        if (identification) {
            decode_identification(request, answer->data);
        } else if (answer->data.size() != data_size(request)) {
            std::abort();
        }
    }
    return 0;
}
