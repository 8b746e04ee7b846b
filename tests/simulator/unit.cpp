#include "tests/simulator/unit.hpp"

#include "gateway/core/fraction.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <ctime>
#include <span>

namespace simulator {

using gateway::Bytes;
using gateway::ByteView;
using gateway::Value;
using gateway::modbus::Encoding;
using gateway::modbus::Function;
using gateway::modbus::Type;

namespace {

constexpr std::uint8_t illegal_function = 1;
constexpr std::uint8_t illegal_address = 2;
constexpr std::uint8_t illegal_value = 3;

Bytes exception(std::uint8_t function, std::uint8_t code)
{
    return {static_cast<std::uint8_t>(function | 0x80), code};
}

std::uint64_t bits_of(const Encoding& encoding, const Value& raw)
{
    if (encoding.type == Type::float32) {
        return std::bit_cast<std::uint32_t>(static_cast<float>(raw.approximate()));
    }
    if (encoding.type == Type::float64) {
        return std::bit_cast<std::uint64_t>(raw.approximate());
    }
    if (encoding.type == Type::bcd16 || encoding.type == Type::bcd32 ||
        encoding.type == Type::bcd64) {
        std::uint64_t bits = 0;
        auto rest = raw.bits();
        for (unsigned shift = 0; rest > 0; shift += 4, rest /= 10) {
            bits |= (rest % 10) << shift;
        }
        return bits;
    }
    const auto field =
        encoding.bit_count > 0 ? (std::uint64_t{1} << encoding.bit_count) - 1 : ~0ULL;
    return (raw.bits() & field) << encoding.bit;
}

bool is_float(Type type)
{
    return type == Type::float32 || type == Type::float64;
}

/// The raw number nearest to what people shall see; exact for a constant that ends.
Value raw_of(const Cell& cell, double seen)
{
    const auto encoding = cell.location.encoding;
    if (cell.model.kind() == Model::Kind::constant) {
        const auto shift = cell.offset.times(-1);
        const auto divisor =
            gateway::Fraction::of(cell.scale.denominator(), cell.scale.numerator());
        const auto sum = shift ? cell.model.constant().plus(*shift) : std::nullopt;
        const auto exact = sum && divisor ? sum->times(*divisor) : std::nullopt;
        if (exact && exact->denominator() == 1 && !is_float(encoding.type)) {
            return Value::integer(exact->numerator());
        }
        if (exact && is_float(encoding.type)) {
            return Value::float64(exact->approximate());
        }
    }
    const auto raw = (seen - cell.offset.approximate()) / cell.scale.approximate();
    return is_float(encoding.type) ? Value::float64(raw) : Value::integer(std::llround(raw));
}

std::int64_t boot_ms()
{
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

bool overlaps(std::uint32_t first, std::uint32_t count, std::uint32_t other,
              std::uint32_t other_count)
{
    return first < other + other_count && other < first + count;
}

}  // namespace

std::vector<std::uint16_t> encode(const Encoding& encoding, const Value& raw)
{
    Bytes bytes(2U * encoding.words);
    if (encoding.type == Type::text) {
        const auto& text = raw.text();
        std::copy_n(text.begin(), std::min(text.size(), bytes.size()), bytes.begin());
    } else {
        auto bits = bits_of(encoding, raw);
        for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, bits >>= 8) {
            *at = static_cast<std::uint8_t>(bits);
        }
    }
    gateway::modbus::arrange(bytes, encoding.order);
    std::vector<std::uint16_t> words;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        words.push_back(static_cast<std::uint16_t>((bytes[i] << 8) | bytes[i + 1]));
    }
    return words;
}

Unit::Unit(Device device, Random& random, std::FILE* log)
    : device_(std::move(device)), random_(random), log_(log), walking_(device_.walking)
{
    for (std::size_t i = 0; i < walking_.size(); ++i) {
        walking_[i] = static_cast<std::uint16_t>(1000 + i);
    }
    for (std::size_t i = 0; device_.walking_floats && i < walking_.size() / 2; ++i) {
        walking_floats_.push_back(230.0F + static_cast<float>(i));
    }
    const auto by_address = [](const Cell& a, const Cell& b) {
        return std::pair(a.location.function, a.location.first) <
               std::pair(b.location.function, b.location.first);
    };
    std::stable_sort(device_.cells.begin(), device_.cells.end(), by_address);
    for (const auto& cell : device_.cells) {
        widest_ = std::max(widest_, cell.location.count);
    }
}

const Fault* Unit::fault(double seconds) const
{
    const std::chrono::duration<double> now(seconds);
    for (const auto& fault : device_.faults) {
        if (now >= fault.from && now < fault.to && served_.requests >= fault.first_request &&
            served_.requests <= fault.last_request) {
            return &fault;
        }
    }
    return nullptr;
}

Bytes Unit::answer(ByteView pdu, double seconds)
{
    ++served_.requests;
    if (pdu.empty()) {
        return {};
    }
    if (const auto* on = fault(seconds); on != nullptr && on->kind == Fault::Kind::exception) {
        return exception(pdu[0], on->code);
    }
    const auto function = static_cast<Function>(pdu[0]);
    if (function == Function::device_identification) {
        return identification(pdu);
    }
    if (pdu[0] < 1 || pdu[0] > 4) {
        return exception(pdu[0], illegal_function);
    }
    const auto word = [&pdu](std::size_t at) {
        return static_cast<std::uint16_t>((pdu[at] << 8) | pdu[at + 1]);
    };
    const bool bits = gateway::modbus::is_bit_table(function);
    const auto most = bits ? gateway::modbus::most_coils : gateway::modbus::most_registers;
    if (pdu.size() != 5 || word(3) < 1 || word(3) > most) {
        return exception(pdu[0], illegal_value);
    }
    const std::uint32_t first = word(1);
    const std::uint32_t count = word(3);
    if (first + count > 65536 || refused(function, first, count)) {
        return exception(pdu[0], illegal_address);
    }
    served_.registers += count;
    std::vector<std::uint16_t> words(count);
    fill(function, first, count, words, seconds);
    if (log_ != nullptr) {
        std::fflush(log_);  // whoever has the answer finds it in the log
    }
    Bytes answer{pdu[0], static_cast<std::uint8_t>(bits ? (count + 7) / 8 : 2 * count)};
    answer.resize(2U + answer[1]);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (bits) {
            answer[2 + i / 8] |= static_cast<std::uint8_t>((words[i] & 1U) << (i % 8));
        } else {
            answer[2 + 2 * i] = static_cast<std::uint8_t>(words[i] >> 8);
            answer[3 + 2 * i] = static_cast<std::uint8_t>(words[i]);
        }
    }
    return answer;
}

bool Unit::refused(Function function, std::uint32_t first, std::uint32_t count) const
{
    return std::any_of(device_.refused.begin(), device_.refused.end(), [&](const auto& range) {
        return range.first.first == function &&
               overlaps(first, count, range.first.second, range.second);
    });
}

void Unit::fill(Function function, std::uint32_t first, std::uint32_t count,
                std::vector<std::uint16_t>& words, double seconds)
{
    if (function == Function::holding_registers && first < walking_.size()) {
        fill_walking(first, words);
    }
    for (auto at = device_.image.lower_bound({function, static_cast<std::uint16_t>(first)});
         at != device_.image.end() && at->first.first == function &&
         at->first.second < first + count;
         ++at) {
        words[at->first.second - first] = at->second;
    }
    const auto before = [function](const Cell& cell, std::uint32_t address) {
        return std::pair(cell.location.function, std::uint32_t{cell.location.first}) <
               std::pair(function, address);
    };
    auto cell = std::lower_bound(device_.cells.begin(), device_.cells.end(),
                                 first - std::min<std::uint32_t>(first, widest_), before);
    for (; cell != device_.cells.end() && cell->location.function == function &&
           cell->location.first < first + count;
         ++cell) {
        const auto& at = cell->location;
        if (!overlaps(first, count, at.first, at.count)) {
            continue;
        }
        const auto own = words_of(*cell, seconds);
        for (std::uint32_t i = 0; i < own.size(); ++i) {
            if (at.first + i >= first && at.first + i < first + count) {
                words[at.first + i - first] |= own[i];  // bit fields share a register
            }
        }
        if (log_ != nullptr && at.first >= first && at.first + at.count <= first + count) {
            write_log(cell->point, own, &*cell);
        }
    }
    if (log_ != nullptr && device_.cells.empty()) {
        write_log(std::to_string(first), words, nullptr);
    }
}

void Unit::fill_walking(std::uint32_t first, std::vector<std::uint16_t>& words)
{
    const auto last = std::min<std::size_t>(first + words.size(), walking_.size());
    for (std::size_t i = first; i < last; ++i) {
        const auto random = random_();
        if (walking_floats_.empty()) {
            walking_[i] = static_cast<std::uint16_t>(walking_[i] + random % 3 - 1);
        } else if (i % 2 == 0 && i / 2 < walking_floats_.size()) {
            auto& value = walking_floats_[i / 2];
            value += (static_cast<float>(random % 2001) - 1000.0F) / 10'000.0F;
            const auto bits = std::bit_cast<std::uint32_t>(value);
            walking_[i] = static_cast<std::uint16_t>(bits >> 16);
            walking_[i + 1] = static_cast<std::uint16_t>(bits);
        }
        words[i - first] = walking_[i];
    }
}

std::vector<std::uint16_t> Unit::words_of(Cell& cell, double seconds)
{
    const auto& encoding = cell.location.encoding;
    if (cell.model.kind() == Model::Kind::words) {
        auto words = cell.model.words();
        words.resize(cell.location.count);
        return words;
    }
    if (cell.model.kind() != Model::Kind::text) {
        const auto raw = raw_of(cell, value_of(cell, seconds));
        return gateway::modbus::is_bit_table(cell.location.function)
                   ? std::vector{static_cast<std::uint16_t>(raw.bits() & 1U)}
                   : encode(encoding, raw);
    }
    for (const auto& [number, name] : cell.names) {
        if (name == cell.model.text()) {
            return encode(encoding, Value::integer(number));
        }
    }
    return encode(encoding, Value::of_text(cell.model.text()));
}

double Unit::value_of(Cell& cell, double seconds)
{
    double rate = 0;
    if (!cell.model.source().empty()) {
        for (auto& other : device_.cells) {
            if (other.point == cell.model.source() && &other != &cell) {
                rate = other.model.next(seconds, 0, random_);
            }
        }
    }
    return cell.model.next(seconds, rate, random_);
}

Bytes Unit::identification(ByteView pdu) const
{
    constexpr std::size_t most = 253;
    if (device_.objects.empty()) {
        return exception(pdu[0], illegal_function);
    }
    if (pdu.size() != 4 || pdu[1] != 0x0E || pdu[2] < 1 || pdu[2] > 3) {
        return exception(pdu[0], illegal_value);
    }
    const unsigned highest = pdu[2] == 1 ? 2 : pdu[2] == 2 ? 0x7F : 0xFF;
    Bytes answer{pdu[0], 0x0E, pdu[2], 0x03, 0, 0, 0};
    for (auto at = device_.objects.lower_bound(pdu[3]);
         at != device_.objects.end() && at->first <= highest; ++at) {
        const auto size = std::min<std::size_t>(at->second.size(), most - 9);
        if (answer.size() + 2 + size > most) {
            answer[4] = 0xFF;
            answer[5] = at->first;
            break;
        }
        answer.push_back(at->first);
        answer.push_back(static_cast<std::uint8_t>(size));
        answer.insert(answer.end(), at->second.begin(),
                      at->second.begin() + static_cast<std::ptrdiff_t>(size));
        ++answer[6];
    }
    return answer;
}

void Unit::write_log(const std::string& what, const std::vector<std::uint16_t>& words,
                     const Cell* cell)
{
    std::string line = R"({"device":")" + device_.id + R"(",")" +
                       (cell == nullptr ? "register" : "point") + R"(":")" + what +
                       R"(","request":)" + std::to_string(served_.requests) + R"(,"words":[)";
    for (std::size_t i = 0; i < words.size(); ++i) {
        line += (i == 0 ? "" : ",") + std::to_string(words[i]);
    }
    line += R"(],"boot_ms":)" + std::to_string(boot_ms()) + "}\n";
    std::fwrite(line.data(), 1, line.size(), log_);
}

}  // namespace simulator
