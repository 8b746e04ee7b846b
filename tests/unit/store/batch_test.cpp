#include "gateway/store/batch.hpp"

#include "gateway/core/digest.hpp"
#include "schemas/batch_generated.h"
#include "tests/unit/store/random_readings.hpp"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <functional>
#include <map>

namespace gateway {
namespace {

using namespace std::chrono_literals;

void expect_equal(const BatchHeader& got, const BatchHeader& wanted)
{
    EXPECT_EQ(got.box, wanted.box);
    EXPECT_EQ(got.epoch, wanted.epoch);
    EXPECT_EQ(got.lane, wanted.lane);
    EXPECT_EQ(got.first, wanted.first);
    EXPECT_EQ(got.boot, wanted.boot);
    EXPECT_EQ(got.opened, wanted.opened);
    EXPECT_EQ(got.clock.wall, wanted.clock.wall);
    EXPECT_EQ(got.clock.state, wanted.clock.state);
    EXPECT_EQ(got.clock.error_ms, wanted.clock.error_ms);
    EXPECT_EQ(got.dictionaries, wanted.dictionaries);
}

Reading plain(std::int64_t number)
{
    return {{1, 0}, example_header().opened, Value::integer(number), Quality::good, Cause::none,
            {}};
}

/// A message as another program may write it: the body and the fields that a test wants wrong.
struct Forged {
    std::vector<std::uint32_t> alias{1U << 16, 0};
    std::vector<std::int32_t> time{0, 1}, value{5, 1};
    std::uint8_t kind = 1;
    std::vector<std::uint8_t> kinds, quality;
    std::vector<std::uint64_t> wide;
    std::vector<std::string> texts;
    std::vector<std::uint16_t> cause;
    std::vector<wire::DeviceTime> device_times;
    std::vector<wire::DictionaryRef> dictionaries{{7, 1}};
    std::uint16_t version = 1;
    std::uint32_t features = 0;
    std::uint64_t first = 1, count = 2;
    std::uint8_t lane = 3, content = 0, clock = 2, codec = 0, reason = 0;
    std::int64_t body_size_error = 0;
    bool tombstone = false;
    std::function<std::vector<std::uint8_t>(ByteView)> pack = [](ByteView body) {
        return std::vector<std::uint8_t>(body.begin(), body.end());
    };

    Bytes body() const
    {
        flatbuffers::FlatBufferBuilder builder;
        if (tombstone) {
            builder.Finish(wire::CreateTombstone(builder, static_cast<wire::Reason>(reason), 1, 2));
        } else {
            const auto text_offsets = texts.empty() ? 0 : builder.CreateVectorOfStrings(texts);
            builder.Finish(wire::CreateReadings(
                builder, builder.CreateVector(alias), builder.CreateVector(time),
                builder.CreateVector(value), kind, kinds.empty() ? 0 : builder.CreateVector(kinds),
                wide.empty() ? 0 : builder.CreateVector(wide), text_offsets,
                quality.empty() ? 0 : builder.CreateVector(quality),
                cause.empty() ? 0 : builder.CreateVector(cause),
                device_times.empty() ? 0 : builder.CreateVectorOfStructs(device_times)));
        }
        return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
    }

    Bytes message() const
    {
        const auto plain_body = body();
        const auto packed = pack(plain_body);
        flatbuffers::FlatBufferBuilder builder;
        const wire::Id128 id;
        const auto box = builder.CreateString("b");
        const auto references = builder.CreateVectorOfStructs(dictionaries);
        const auto stored = builder.CreateVector(packed);
        const auto size = static_cast<std::int64_t>(plain_body.size()) + body_size_error;
        builder.Finish(
            wire::CreateBatch(builder, version, features, box, &id, static_cast<wire::Lane>(lane),
                              static_cast<wire::Content>(content), first, count, &id, 0, 0,
                              static_cast<wire::ClockState>(clock), 0, references,
                              static_cast<wire::Codec>(codec), static_cast<std::uint32_t>(size),
                              stored, 1),
            "SSB1");
        Bytes bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
        const auto* table = flatbuffers::GetRoot<flatbuffers::Table>(bytes.data());
        auto* crc = bytes.data() + (table->GetAddressOf(wire::Batch::VT_CRC) - bytes.data());
        flatbuffers::WriteScalar(crc, std::uint32_t{0});
        flatbuffers::WriteScalar(crc, crc32c(bytes));
        return bytes;
    }
};

Error refusal(const Forged& forged)
{
    const auto decoded = decode(forged.message());
    return decoded ? Error() : decoded.error();
}

std::vector<std::uint8_t> zstd(ByteView body)
{
    std::vector<std::uint8_t> packed(ZSTD_compressBound(body.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), 1));
    return packed;
}

TEST(Batch, ReadingsOfEveryKindComeBackEqual)
{
    std::mt19937_64 random(1);
    BatchEncoder encoder;
    BatchDecoder decoder;
    for (int round = 0; round < 200; ++round) {
        auto header = example_header(all_lanes[random() % lane_count]);
        header.clock.state = static_cast<ClockState>(random() % 3);
        const auto readings =
            random_readings(random, 1 + random() % (round % 20 == 0 ? 5000 : 60), header.opened);
        const auto bytes = encoder.encode(header, readings);
        EXPECT_EQ(bytes, encode(header, readings));
        const auto batch = decoder.decode(bytes);
        ASSERT_TRUE(batch) << batch.error().message();
        expect_equal(batch->header, header);
        ASSERT_EQ(std::get<std::vector<Reading>>(batch->content), readings);
        EXPECT_EQ(batch->count(), readings.size());
    }
}

TEST(Batch, UniformReadingsNeedNoFurtherColumns)
{
    constexpr int count = 1000;
    std::vector<Reading> readings;
    readings.reserve(count);
    for (int i = 0; i < count; ++i) {
        readings.push_back(plain(i * i));
    }
    const auto batch = decode(encode(example_header(), readings));
    ASSERT_TRUE(batch);
    EXPECT_EQ(std::get<std::vector<Reading>>(batch->content), readings);
    EXPECT_LT(CompactReadings(readings).body_bytes(), 12'500U);
}

TEST(Batch, TheLargestBatchFits)
{
    std::vector<Reading> readings(most_readings_in_batch, plain(7));
    for (std::size_t i = 0; i < readings.size(); ++i) {
        readings[i].alias.row = static_cast<std::uint16_t>(i);
    }
    const auto batch = decode(encode(example_header(), readings));
    ASSERT_TRUE(batch);
    EXPECT_EQ(std::get<std::vector<Reading>>(batch->content), readings);
}

TEST(Batch, ReadingsComeAsTheTombstoneThatStandsForThem)
{
    std::mt19937_64 random(2);
    BatchDecoder decoder;
    for (int round = 0; round < 50; ++round) {
        const auto header = example_header();
        const auto readings = random_readings(random, 1 + random() % 600, header.opened);
        const auto batch = decoder.decode_as_loss(encode(header, readings));
        ASSERT_TRUE(batch);
        expect_equal(batch->header, header);
        const auto& loss = std::get<Tombstone>(batch->content);
        EXPECT_EQ(loss.count, readings.size());
        const auto [first, last] = std::ranges::minmax(readings, {}, &Reading::time);
        EXPECT_EQ(loss.first_time, first.time);
        EXPECT_EQ(loss.last_time, last.time);
        std::map<std::uint32_t, std::uint32_t> counts;
        for (const auto& reading : readings) {
            ++counts[reading.alias.packed()];
        }
        std::map<std::uint32_t, std::uint32_t> said;
        for (const auto& [alias, count] : loss.counts) {
            said[alias.packed()] = static_cast<std::uint32_t>(count);
        }
        EXPECT_EQ(said, counts);
    }
}

TEST(Batch, ALossOfManyAliasesDoesNotSayHowManyOfEach)
{
    std::vector<Reading> readings(257, plain(7));
    for (std::size_t i = 0; i < readings.size(); ++i) {
        readings[i].alias.row = static_cast<std::uint16_t>(i);
    }
    const auto counts = [&] {
        const auto batch = BatchDecoder().decode_as_loss(encode(example_header(), readings));
        return std::get<Tombstone>(batch->content).counts.size();
    };
    EXPECT_EQ(counts(), 0U);
    readings.pop_back();
    EXPECT_EQ(counts(), 256U);
}

TEST(Batch, ATombstoneComesBackEqual)
{
    Tombstone lost{70'000, LossReason::damaged, BootTime(5ms), std::nullopt, {{{3, 4}, 5}}};
    const auto bytes = encode(example_header(Lane::billing), lost);
    const auto batch = decode(bytes);
    ASSERT_TRUE(batch);
    expect_equal(batch->header, example_header(Lane::billing));
    const auto& got = std::get<Tombstone>(batch->content);
    EXPECT_EQ(got.count, 70'000U);
    EXPECT_EQ(batch->count(), 70'000U);
    EXPECT_EQ(got.reason, LossReason::damaged);
    EXPECT_EQ(got.first_time, BootTime(5ms));
    EXPECT_EQ(got.last_time, std::nullopt);
    ASSERT_EQ(got.counts.size(), 1U);
    EXPECT_EQ(got.counts[0].alias, (Alias{3, 4}));
    EXPECT_EQ(got.counts[0].count, 5U);
    const auto summary = decode_header(bytes);
    ASSERT_TRUE(summary);
    EXPECT_TRUE(summary->tombstone);
    EXPECT_EQ(summary->count, 70'000U);
}

TEST(Batch, EveryPrefixIsRefused)
{
    std::mt19937_64 random(2);
    const auto header = example_header();
    const auto whole = encode(header, random_readings(random, 40, header.opened));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A buffer of its own, so that a read past its end is a fault of its own.
        const Bytes prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(decode(prefix)) << size;
        EXPECT_FALSE(decode_header(prefix)) << size;
    }
}

TEST(Batch, EveryChangedByteIsRefused)
{
    std::mt19937_64 random(3);
    const auto header = example_header();
    const auto whole = encode(header, random_readings(random, 40, header.opened));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const unsigned change : {0x01U, 0x80U, 0xFFU}) {
            auto broken = whole;
            broken[at] = static_cast<std::uint8_t>(broken[at] ^ change);
            EXPECT_FALSE(decode(broken)) << at;
        }
    }
}

TEST(Batch, AMisalignedMessageIsRead)
{
    std::mt19937_64 random(4);
    const auto header = example_header();
    const auto readings = random_readings(random, 10, header.opened);
    auto bytes = encode(header, readings);
    bytes.insert(bytes.begin(), 3, 0);
    const auto batch = decode(ByteView(bytes).subspan(3));
    ASSERT_TRUE(batch);
    EXPECT_EQ(std::get<std::vector<Reading>>(batch->content), readings);
}

TEST(Batch, TheForgedMessagesBelowAreGoodUntilSomethingIsWrong)
{
    EXPECT_EQ(refusal({}), Error());
    EXPECT_EQ(refusal({.codec = 1, .pack = zstd}), Error());
    EXPECT_EQ(refusal({.count = 70'000, .content = 1, .tombstone = true}), Error());
    EXPECT_EQ(refusal({.kind = 6, .texts = {"a", "b", "c", "d", "e", "f", "g"}}), Error());
    EXPECT_EQ(refusal({.kinds = {2, 5}, .wide = {1, 2}}), Error());
}

TEST(Batch, RefusesWhatTheHeaderMustNotSay)
{
    EXPECT_EQ(refusal({.version = 2}), Fault::malformed);
    EXPECT_EQ(refusal({.features = 1}), Fault::malformed);
    EXPECT_EQ(refusal({.first = 0}), Fault::malformed);
    EXPECT_EQ(refusal({.first = 0xFFFFFFFFFFFFFFFF}), Fault::malformed);
    EXPECT_EQ(refusal({.count = 0}), Fault::malformed);
    EXPECT_EQ(refusal({.lane = 5}), Fault::malformed);
    EXPECT_EQ(refusal({.content = 2}), Fault::malformed);
    EXPECT_EQ(refusal({.clock = 3}), Fault::malformed);
    EXPECT_EQ(refusal({.codec = 2}), Fault::malformed);
    EXPECT_EQ(refusal({.dictionaries = {{7, 2}, {7, 1}}}), Fault::malformed);
    EXPECT_EQ(refusal({.content = 1, .reason = 6, .tombstone = true}), Fault::malformed);
}

TEST(Batch, RefusesColumnsThatDoNotAgree)
{
    EXPECT_EQ(refusal({.alias = {1U << 16}}), Fault::malformed);
    EXPECT_EQ(refusal({.time = {0}}), Fault::malformed);
    EXPECT_EQ(refusal({.value = {0, 0, 0}}), Fault::malformed);
    EXPECT_EQ(refusal({.kinds = {1}}), Fault::malformed);
    EXPECT_EQ(refusal({.quality = {0}}), Fault::malformed);
    EXPECT_EQ(refusal({.cause = {0, 0, 0}}), Fault::malformed);
    EXPECT_EQ(refusal({.count = 3}), Fault::malformed);
    EXPECT_EQ(refusal({.wide = {1}}), Fault::malformed);
    EXPECT_EQ(refusal({.kind = 2, .wide = {1}}), Fault::malformed);
    EXPECT_EQ(refusal({.kind = 5}), Fault::malformed);
    EXPECT_EQ(refusal({.device_times = {{2, 0}}}), Fault::malformed);
    EXPECT_EQ(refusal({.device_times = {{1, 0}, {1, 0}}}), Fault::malformed);
}

TEST(Batch, RefusesValuesThatMeanNothing)
{
    EXPECT_EQ(refusal({.kind = 7}), Fault::malformed);
    EXPECT_EQ(refusal({.quality = {0, 7}}), Fault::malformed);
    EXPECT_EQ(refusal({.kind = 6, .texts = {"a"}}), Fault::malformed);
    EXPECT_EQ(refusal({.kind = 6}), Fault::malformed);
    EXPECT_EQ(refusal({.dictionaries = {{7, 2}}}), Fault::malformed);
}

TEST(Batch, RefusesMoreReadingsThanABatchMayHold)
{
    const std::vector<std::uint32_t> none(most_readings_in_batch + 1);
    const std::vector<std::int32_t> zeros(none.size());
    EXPECT_EQ(refusal({.alias = none, .time = zeros, .value = zeros, .count = none.size()}),
              Fault::malformed);
}

TEST(Batch, RefusesABodyThatIsNotWhatItsSizeSays)
{
    EXPECT_EQ(refusal({.body_size_error = 1}), Fault::malformed);
    EXPECT_EQ(refusal({.codec = 1, .body_size_error = 1, .pack = zstd}), Fault::malformed);
    EXPECT_EQ(refusal({.codec = 1, .body_size_error = -1, .pack = zstd}), Fault::malformed);
    EXPECT_EQ(refusal({.codec = 1}), Fault::malformed);  // not a zstd frame
    EXPECT_EQ(refusal({.body_size_error = 2'000'000}), Fault::too_large);
    const auto without_size = [](ByteView body) {
        std::vector<std::uint8_t> packed(ZSTD_compressBound(body.size()));
        auto* context = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
        packed.resize(
            ZSTD_compress2(context, packed.data(), packed.size(), body.data(), body.size()));
        ZSTD_freeCCtx(context);
        return packed;
    };
    EXPECT_EQ(refusal({.codec = 1, .pack = without_size}), Fault::malformed);
}

TEST(Batch, RefusesAMessageOverOneMegabyte)
{
    EXPECT_EQ(decode(Bytes(most_message_bytes + 1)).error(), Fault::too_large);
}

TEST(Batch, ForgedTimesWrapAndHarmNobody)
{
    EXPECT_EQ(refusal({.time = {2'147'483'647, 2'147'483'647}}), Error());
}

}  // namespace
}  // namespace gateway
