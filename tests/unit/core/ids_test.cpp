#include "gateway/core/ids.hpp"

#include <gtest/gtest.h>

#include <set>

namespace gateway {
namespace {

TEST(Id128, IsReadBackFromItsHexDigits)
{
    const auto id = Id128::from_hex("00112233445566778899aabbccddeeff");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->bytes[0], 0x00);
    EXPECT_EQ(id->bytes[1], 0x11);
    EXPECT_EQ(id->bytes[15], 0xff);
    EXPECT_EQ(id->hex(), "00112233445566778899aabbccddeeff");
}

TEST(Id128, TakesAUuidAsTheKernelWritesIt)
{
    EXPECT_EQ(Id128::from_hex("0f8fad5b-d9cb-469f-a165-70867728950e"),
              Id128::from_hex("0F8FAD5BD9CB469FA16570867728950E"));
}

TEST(Id128, RefusesWhatIsNot32HexDigits)
{
    for (const auto* text :
         {"", "00", "00112233445566778899aabbccddeef", "00112233445566778899aabbccddeeff0",
          "00112233445566778899aabbccddeefg", " 0112233445566778899aabbccddeeff"}) {
        EXPECT_FALSE(Id128::from_hex(text)) << text;
    }
}

TEST(Id128, IsRandom)
{
    std::set<Id128> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(Id128::random());
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(DictionaryHash, IsTheHeadOfTheSha256)
{
    // FIPS 180-4: SHA-256 of "abc" begins ba7816bf 8f01cfea.
    EXPECT_EQ(dictionary_hash("abc"), 0xba7816bf8f01cfeaU);
    EXPECT_EQ(to_hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(DictionaryHash, IsWrittenAs16HexDigits)
{
    EXPECT_EQ(hash_hex(0x00000000000000ffU), "00000000000000ff");
    EXPECT_EQ(hash_from_hex("ba7816bf8f01cfea"), 0xba7816bf8f01cfeaU);
    for (const auto* text : {"", "ba7816bf8f01cfe", "ba7816bf8f01cfeaa", "ba7816bf8f01cfeg"}) {
        EXPECT_FALSE(hash_from_hex(text)) << text;
    }
}

}  // namespace
}  // namespace gateway
