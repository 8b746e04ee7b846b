#include "drivers/modbus/rtu.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <span>
#include <string>

namespace gateway::modbus {
namespace {

const Request two_words{.unit = 17, .first = 0x6B, .count = 2};

Bytes framed(Bytes bytes)
{
    const auto crc = crc16(bytes);
    bytes.push_back(static_cast<std::uint8_t>(crc));
    bytes.push_back(static_cast<std::uint8_t>(crc >> 8));
    return bytes;
}

Bytes together(const Bytes& first, const Bytes& second)
{
    Bytes all = first;
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

const Bytes good = framed({17, 3, 4, 0xAE, 0x41, 0x56, 0x52});

Error fault_in(const Bytes& heard, Line line = Line::silent)
{
    const auto answer = find_answer(two_words, heard, line);
    return answer ? Error() : answer.error();
}

void expect_good(const Bytes& heard, Line line = Line::silent)
{
    const auto answer = find_answer(two_words, heard, line);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(Bytes(answer->data.begin(), answer->data.end()), (Bytes{0xAE, 0x41, 0x56, 0x52}));
}

TEST(ModbusRtu, TheCrcIsThatOfTheStandard)
{
    const Bytes example{0x02, 0x07};  // Modbus over serial line V1.02, appendix B
    EXPECT_EQ(crc16(example), 0x1241);
}

TEST(ModbusRtu, ARequestHasUnitPduAndCrc)
{
    const auto frame = encode_rtu({.unit = 17, .first = 0x6B, .count = 3});
    const auto view = frame.view();
    EXPECT_EQ(Bytes(view.begin(), view.end()), (Bytes{17, 3, 0, 0x6B, 0, 3, 0x76, 0x87}));
}

TEST(ModbusRtu, AnIdentificationRequestIsSevenBytes)
{
    EXPECT_EQ(encode_rtu({.unit = 1, .function = Function::device_identification}).size, 7U);
}

TEST(ModbusRtu, AnAnswerIsFoundWhereItIs)
{
    expect_good(good);
    expect_good(good, Line::talking);
    expect_good(together({0, 0xFF, 17, 3}, good));
    expect_good(together(good, {1, 2, 3}));
}

TEST(ModbusRtu, OurOwnEchoIsNoAnswer)
{
    const auto question = encode_rtu(two_words);
    const Bytes echo(question.view().begin(), question.view().end());
    EXPECT_EQ(fault_in(echo), Fault::timed_out);
    expect_good(together(echo, good));
    // Here the echo is a well-formed answer: 3 bytes of coils.
    const Request coils{.unit = 1, .function = Function::coils, .first = 0x0300, .count = 20};
    const auto asked = encode_rtu(coils);
    EXPECT_EQ(find_answer(coils, asked.view(), Line::silent).error(), Fault::timed_out);
}

TEST(ModbusRtu, EveryPrefixOfAGoodAnswerIsWaitedForAndThenRefused)
{
    for (std::size_t size = 1; size < good.size(); ++size) {
        const Bytes begun(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(fault_in(begun, Line::talking), Fault::short_frame) << size;
        EXPECT_EQ(fault_in(begun), Fault::short_frame) << size;
    }
    EXPECT_EQ(fault_in({}), Fault::timed_out);
}

TEST(ModbusRtu, D2_EveryWrongBitIsNoticed)
{
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto heard = good;
        heard[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(find_answer(two_words, heard, Line::silent)) << bit;
    }
    auto heard = good;
    heard[4] ^= 0x10U;
    EXPECT_EQ(fault_in(heard), Fault::bad_checksum);
}

TEST(ModbusRtu, D2_AnotherUnitFunctionOrLengthIsNoAnswer)
{
    EXPECT_EQ(fault_in(framed({18, 3, 4, 0xAE, 0x41, 0x56, 0x52})), Fault::unexpected_reply);
    EXPECT_EQ(fault_in(framed({17, 4, 4, 0xAE, 0x41, 0x56, 0x52})), Fault::unexpected_reply);
    EXPECT_EQ(fault_in(framed({17, 3, 2, 0xAE, 0x41})), Fault::unexpected_reply);
    expect_good(together(framed({17, 3, 2, 0xAE, 0x41}), good));
}

TEST(ModbusRtu, AnExceptionIsAnAnswer)
{
    const auto answer = find_answer(two_words, framed({17, 0x83, 2}), Line::talking);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->exception, 2);
    EXPECT_FALSE(find_answer(two_words, framed({17, 0x84, 2}), Line::silent));
}

TEST(ModbusRtu, NoiseThatLooksLikeABeginHidesNoAnswerOnceTheLineIsSilent)
{
    const auto heard = together({17, 3, 200}, good);
    EXPECT_EQ(fault_in(heard, Line::talking), Fault::short_frame);
    expect_good(heard);
}

TEST(ModbusRtu, TheObjectsOfAnIdentificationSayHowLongItIs)
{
    const Request request{.unit = 1, .function = Function::device_identification, .count = 1};
    const auto whole = framed({1, 43, 14, 1, 1, 0, 0, 2, 0, 2, 'A', 'B', 1, 1, 'C'});
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const auto begun = ByteView(whole).first(size);
        EXPECT_EQ(find_answer(request, begun, Line::talking).error(), Fault::short_frame) << size;
    }
    const auto answer = find_answer(request, whole, Line::talking);
    ASSERT_TRUE(answer);
    const auto objects = decode_identification(request, answer->data);
    ASSERT_TRUE(objects);
    EXPECT_EQ(objects->objects.size(), 2U);
}

/// Changes, drops and inserts bytes at this rate.
Bytes with_noise(const Bytes& frame, double rate, std::mt19937& random)
{
    std::bernoulli_distribution hit(rate);
    Bytes heard;
    for (const auto byte : frame) {
        const auto other = static_cast<std::uint8_t>(random());
        if (!hit(random)) {
            heard.push_back(byte);
        } else if (random() % 4 != 0) {
            heard.push_back(other);
        } else if (random() % 2 != 0) {
            heard.insert(heard.end(), {other, byte});
        }
    }
    return heard;
}

/// Frames of up to 16 bytes with noise from 1e-4 to 1e-2 per byte. `NOISY_FRAMES` sets how many.
TEST(ModbusRtu, D3_NoNoisyFrameGivesAWrongValue)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const auto* const wanted = std::getenv("NOISY_FRAMES");
    const auto frames = wanted == nullptr ? 100'000UL : std::stoul(wanted);
    std::mt19937 random(20'260'101);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a run can be repeated
    std::size_t good_ones = 0;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < frames; ++i) {
        const Request request{.unit = static_cast<std::uint8_t>(1 + random() % 247),
                              .count = static_cast<std::uint16_t>(1 + random() % 5)};
        Bytes frame{request.unit, 3, static_cast<std::uint8_t>(2 * request.count)};
        while (frame.size() < 3U + 2U * request.count) {
            frame.push_back(static_cast<std::uint8_t>(random()));
        }
        const Bytes said(frame.begin() + 3, frame.end());
        const double rates[] = {1e-4, 1e-3, 1e-2};
        const auto heard = with_noise(framed(frame), rates[i % 3], random);
        if (const auto answer = find_answer(request, heard, Line::silent)) {
            const bool same =
                std::equal(said.begin(), said.end(), answer->data.begin(), answer->data.end());
            (same ? good_ones : wrong) += 1;
        }
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_GT(good_ones, frames * 9 / 10);
    EXPECT_LT(good_ones, frames) << "there was no noise";
}

Request holding(std::uint16_t first, std::uint16_t count)
{
    return {.first = first, .count = count};
}

TEST(ModbusRtu, S44_WhatIsOwedIsNotMistakenForAnAnswerOfItsLength)
{
    Owed owed;
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 1)));
    owed.unanswered(holding(0, 1));
    EXPECT_TRUE(owed.may_be_mistaken_for(holding(7, 1)));
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(7, 2)));
    EXPECT_FALSE(owed.may_be_mistaken_for({.function = Function::input_registers, .count = 1}));
    ASSERT_TRUE(owed.probe_for(holding(7, 1)));
    EXPECT_EQ(owed.probe_for(holding(7, 1))->count, 2);
    owed.unanswered(holding(7, 2));
    EXPECT_EQ(owed.probe_for(holding(7, 1))->count, 3);
    owed.answered(holding(7, 3), false);
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 1)));
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 2)));
}

TEST(ModbusRtu, S44_ARefusalSettlesTheOldestQuestionOnly)
{
    Owed owed;
    owed.unanswered(holding(0, 1));
    owed.answered(holding(0, 2), true);
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 1)));
    EXPECT_TRUE(owed.may_be_mistaken_for(holding(0, 2)))
        << "the refusal may have been of the other";
    owed.answered(holding(0, 1), false);
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 2)));
    owed.answered(holding(0, 1), true);
    EXPECT_FALSE(owed.may_be_mistaken_for(holding(0, 1))) << "nothing was owed";
}

TEST(ModbusRtu, S44_AProbeStaysInsideItsTable)
{
    Owed owed;
    owed.unanswered(holding(65'535, 1));
    EXPECT_FALSE(owed.probe_for(holding(65'535, 1)));
    const Request coil{.function = Function::coils, .first = 3, .count = 5};
    owed.unanswered(coil);
    EXPECT_EQ(owed.probe_for(coil)->count, 16);
    for (std::uint16_t count = 1; count < 9; ++count) {
        owed.unanswered(holding(0, count));
    }
    EXPECT_EQ(owed.probe_for(holding(0, 8))->count, 1) << "the oldest are forgotten";
}

}  // namespace
}  // namespace gateway::modbus
