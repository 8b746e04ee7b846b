#include "drivers/modbus/codec.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <set>
#include <string>

namespace gateway::modbus {
namespace {

/// The PDU behind an MBAP header.
Bytes framed(std::uint16_t transaction, std::uint8_t unit, const Bytes& pdu)
{
    const auto size = pdu.size() + 1;
    Bytes frame{
        static_cast<std::uint8_t>(transaction >> 8), static_cast<std::uint8_t>(transaction), 0,   0,
        static_cast<std::uint8_t>(size >> 8),        static_cast<std::uint8_t>(size),        unit};
    frame.insert(frame.end(), pdu.begin(), pdu.end());
    return frame;
}

Bytes pdu_of(const Request& request)
{
    const auto frame = encode(7, request);
    const auto view = frame.view().subspan(header_size);
    return {view.begin(), view.end()};
}

Bytes copy(ByteView bytes)
{
    return {bytes.begin(), bytes.end()};
}

constexpr Request three_holding{17, Function::holding_registers, 0x6B, 3};
/// V1.1b3, section 6.3: registers 108 to 110 are 555, 0 and 100.
const Bytes three_holding_answer{0x03, 0x06, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64};

TEST(ModbusCodec, RequestsAreThoseOfTheSpecification)
{
    // V1.1b3, sections 6.1 to 6.4 and 6.21.
    EXPECT_EQ(pdu_of({1, Function::coils, 0x13, 0x13}), (Bytes{0x01, 0x00, 0x13, 0x00, 0x13}));
    EXPECT_EQ(pdu_of({1, Function::discrete_inputs, 0xC4, 0x16}),
              (Bytes{0x02, 0x00, 0xC4, 0x00, 0x16}));
    EXPECT_EQ(pdu_of(three_holding), (Bytes{0x03, 0x00, 0x6B, 0x00, 0x03}));
    EXPECT_EQ(pdu_of({1, Function::input_registers, 8, 1}), (Bytes{0x04, 0x00, 0x08, 0x00, 0x01}));
    EXPECT_EQ(pdu_of({1, Function::device_identification, 0, 1}), (Bytes{0x2B, 0x0E, 0x01, 0x00}));
}

TEST(ModbusCodec, TheHeaderCarriesTransactionLengthAndUnit)
{
    EXPECT_EQ(copy(encode(0x1501, three_holding).view()),
              (Bytes{0x15, 0x01, 0, 0, 0, 6, 17, 0x03, 0x00, 0x6B, 0x00, 0x03}));
    EXPECT_EQ(copy(encode(2, {17, Function::device_identification, 3, 2}).view()),
              (Bytes{0, 2, 0, 0, 0, 5, 17, 0x2B, 0x0E, 2, 3}));
}

TEST(ModbusCodec, AnswersOfTheSpecificationGiveTheirData)
{
    const auto data_of = [](const Request& request, const Bytes& pdu) {
        const auto frame = framed(1, request.unit, pdu);
        const auto answer = decode(1, request, frame);
        return answer && answer->exception == 0 ? copy(answer->data) : Bytes{};
    };
    EXPECT_EQ(data_of({1, Function::coils, 0x13, 0x13}, {0x01, 0x03, 0xCD, 0x6B, 0x05}),
              (Bytes{0xCD, 0x6B, 0x05}));
    EXPECT_EQ(data_of({1, Function::discrete_inputs, 0xC4, 0x16}, {0x02, 0x03, 0xAC, 0xDB, 0x35}),
              (Bytes{0xAC, 0xDB, 0x35}));
    EXPECT_EQ(data_of(three_holding, three_holding_answer), (Bytes{0x02, 0x2B, 0, 0, 0, 0x64}));
    EXPECT_EQ(data_of({1, Function::input_registers, 8, 1}, {0x04, 0x02, 0x00, 0x0A}),
              (Bytes{0x00, 0x0A}));
}

TEST(ModbusCodec, AnExceptionKeepsItsCode)
{
    // V1.1b3, section 7: illegal data address.
    const auto answer = decode(1, {1, Function::coils, 0x04A1, 1}, framed(1, 1, {0x81, 0x02}));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->exception, 2);
    EXPECT_TRUE(answer->data.empty());
}

TEST(ModbusCodec, EveryPrefixOfAGoodAnswerIsRefused)
{
    for (const auto& pdu : {three_holding_answer, Bytes{0x83, 0x02}}) {
        const auto whole = framed(1, 17, pdu);
        ASSERT_TRUE(decode(1, three_holding, whole));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto got = decode(1, three_holding, ByteView(whole).first(size));
            EXPECT_EQ(got.error(), Fault::short_frame) << size;
        }
    }
}

TEST(ModbusCodec, WhatDoesNotAnswerTheRequestIsRefused)
{
    const auto refused = [](std::uint16_t transaction, const Bytes& frame) {
        return decode(transaction, three_holding, frame).error() == Fault::unexpected_reply;
    };
    const auto good = framed(1, 17, three_holding_answer);
    EXPECT_TRUE(refused(2, good)) << "another transaction";
    EXPECT_TRUE(refused(1, framed(1, 18, three_holding_answer))) << "another unit";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x04, 0x06, 2, 0x2B, 0, 0, 0, 0x64})))
        << "another function";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x84, 0x02}))) << "an exception to another function";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x83, 0x00}))) << "an exception without a code";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x83, 0x02, 0x00}))) << "an exception with a tail";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x03, 0x04, 2, 0x2B, 0, 0}))) << "fewer registers";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x03, 0x06, 2, 0x2B, 0, 0}))) << "a lying byte count";
    EXPECT_TRUE(refused(1, framed(1, 17, {0x03, 0x06, 2, 0x2B, 0, 0, 0, 0x64, 0})))
        << "more bytes than counted";
    auto other = good;
    other[3] = 1;
    EXPECT_TRUE(refused(1, other)) << "another protocol";
    other = good;
    other.push_back(0);
    EXPECT_TRUE(refused(1, other)) << "bytes behind the frame";
}

TEST(ModbusCodec, ALengthOutOfBoundsIsNoHeader)
{
    for (const unsigned length : {0U, 1U, 2U, 255U, 256U, 0xFFFFU}) {
        const Bytes header{
            0, 1, 0, 0, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length),
            1};
        EXPECT_EQ(frame_size(header).error(), Fault::unexpected_reply) << length;
    }
    EXPECT_EQ(frame_size(Bytes{0, 1, 0, 0, 0, 254}).value(), largest_frame);
    EXPECT_EQ(frame_size(Bytes{0, 1, 0, 0, 0}).error(), Fault::short_frame);
}

/// V1.1b3, section 6.21: basic identification of "Company identification" and so on.
Bytes identification_data(std::uint8_t more, std::uint8_t next)
{
    Bytes data{0x0E, 0x01, 0x01, more, next, 0x02, 0x00, 0x03, 'A', 'B', 'C', 0x01, 0x02, 'X', '1'};
    return data;
}

constexpr Request basic{1, Function::device_identification, 0, 1};

TEST(ModbusCodec, IdentificationGivesItsObjects)
{
    const auto data = identification_data(0, 0);
    const auto got = decode_identification(basic, data);
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->more_follows);
    ASSERT_EQ(got->objects.size(), 2U);
    EXPECT_EQ(got->objects[0].id, 0);
    EXPECT_EQ(got->objects[0].value, (Bytes{'A', 'B', 'C'}));
    EXPECT_EQ(got->objects[1].id, 1);
    EXPECT_EQ(got->objects[1].value, (Bytes{'X', '1'}));
}

TEST(ModbusCodec, IdentificationSaysWhatToAskNext)
{
    const auto got = decode_identification(basic, identification_data(0xFF, 2));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->more_follows);
    EXPECT_EQ(got->next, 2);
}

TEST(ModbusCodec, EveryPrefixAndTailOfAnIdentificationIsRefused)
{
    auto data = identification_data(0, 0);
    for (std::size_t size = 0; size < data.size(); ++size) {
        EXPECT_FALSE(decode_identification(basic, ByteView(data).first(size))) << size;
    }
    data.push_back(0);
    EXPECT_FALSE(decode_identification(basic, data)) << "a tail";
}

TEST(ModbusCodec, IdentificationOfAnotherKindIsRefused)
{
    for (const std::size_t at : {0U, 1U, 3U}) {
        auto data = identification_data(0, 0);
        data[at] = 0x55;
        EXPECT_EQ(decode_identification(basic, data).error(), Fault::unexpected_reply) << at;
    }
}

TEST(ModbusCodec, RandomBytesNeverPassForMoreThanTheyHold)
{
    std::mt19937 random(1);
    std::uniform_int_distribution<unsigned> byte(0, 255);
    for (int round = 0; round < 20'000; ++round) {
        Bytes frame(byte(random) % 32);
        for (auto& each : frame) {
            each = static_cast<std::uint8_t>(byte(random));
        }
        if (frame.size() > header_size) {  // good enough to get past the header now and then
            const auto good = framed(1, 17, three_holding_answer);
            std::copy_n(good.begin(), byte(random) % header_size + 1, frame.begin());
        }
        if (const auto answer = decode(1, three_holding, frame)) {
            EXPECT_TRUE(answer->exception != 0 || answer->data.size() == 6);
        }
        if (const auto objects = decode_identification(basic, frame)) {
            EXPECT_LE(objects->objects.size(), frame.size());
        }
    }
}

// Writing to devices is not a feature that is off; it does not exist.
TEST(ModbusCodec, NoWriteFunctionExistsInTheTree)
{
    std::ifstream header(SOURCE_DIR "/drivers/modbus/codec.hpp");
    const std::string text{std::istreambuf_iterator<char>(header), {}};
    const auto begin = text.find("enum class Function");
    const auto body = text.substr(begin, text.find("};", begin) - begin);
    std::set<int> values;
    const std::regex value("=\\s*(\\w+)");
    for (std::sregex_iterator at(body.begin(), body.end(), value), end; at != end; ++at) {
        values.insert(std::stoi((*at)[1], nullptr, 0));
    }
    EXPECT_EQ(values, (std::set<int>{1, 2, 3, 4, 43}));

    // The only way to a request is `encode`, and it gives no other function's bytes: codes 5, 6,
    // 15, 16, 21, 22 and 23 write. Nobody else may put a request together.
    const std::regex writes("write_(single|multiple)|preset_|mask_write|FC ?(5|6|15|16|22|23)\\b",
                            std::regex::icase);
    int files = 0;
    for (const auto* folder : {"/drivers", "/gateway", "/tests/simulator"}) {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(std::string(SOURCE_DIR) + folder)) {
            const auto extension = entry.path().extension();
            if (extension != ".cpp" && extension != ".hpp") {
                continue;
            }
            ++files;
            std::ifstream file(entry.path());
            const std::string code{std::istreambuf_iterator<char>(file), {}};
            EXPECT_FALSE(std::regex_search(code, writes)) << entry.path();
        }
    }
    EXPECT_GT(files, 20);
}

}  // namespace
}  // namespace gateway::modbus
