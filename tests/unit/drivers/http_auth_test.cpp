#include "drivers/http_json/auth.hpp"
#include "drivers/http_json/client.hpp"

#include <gtest/gtest.h>

namespace gateway::http_json {
namespace {

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

TEST(HttpAuth, AnswersTheExampleOfRfc7616)
{
    const Credentials mufasa{.user = "Mufasa", .secret = "Circle of Life"};
    constexpr auto nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    constexpr auto client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const auto header = [&](const std::string& algorithm) {
        return "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" +
               algorithm + ", nonce=\"" + nonce +
               "\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    };
    const auto md5 = parse_challenge(header("MD5"));
    ASSERT_TRUE(md5);
    EXPECT_TRUE(holds(digest_answer(*md5, mufasa, "/dir/index.html", 1, client_nonce),
                      "response=\"8ca523f5e9506fed4657c9700eebdbec\""));
    const auto sha256 = parse_challenge(header("SHA-256"));
    ASSERT_TRUE(sha256);
    const auto answer = digest_answer(*sha256, mufasa, "/dir/index.html", 1, client_nonce);
    EXPECT_TRUE(holds(
        answer, "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""));
    EXPECT_TRUE(holds(answer, "nc=00000001"));
    EXPECT_TRUE(holds(answer, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
}

TEST(HttpAuth, AnswersAServerOfBefore2069)
{
    const auto old = parse_challenge("digest realm=\"a\\\"b\",nonce=\"n\"");
    ASSERT_TRUE(old);
    EXPECT_EQ(old->realm, "a\"b");
    const auto answer = digest_answer(*old, {.user = "u", .secret = "s"}, "/", 1, "c");
    EXPECT_TRUE(holds(answer, "realm=\"a\\\"b\""));
    EXPECT_FALSE(holds(answer, "qop"));
}

TEST(HttpAuth, PassesOverChallengesThatItCannotAnswer)
{
    for (const auto* header :
         {"", "Digest", "Digest ", "Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"x\"",
          "Digest realm=\"x, nonce=\"y\"", "Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess",
          "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
          "Digest realm=\"x\", nonce=\"y\", nonce=\"z\"", "Digest realm", "Digest =\"x\"",
          "Digest realm=\"x\" nonce=\"y\\"}) {
        EXPECT_FALSE(parse_challenge(header)) << header;
    }
}

TEST(HttpAuth, BasicIsBase64)
{
    EXPECT_EQ(basic_answer({.user = "Aladdin", .secret = "open sesame"}),
              "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(HttpUrl, IsTakenApart)
{
    const auto plain = parse_url("http://10.0.0.7", 8080);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "10.0.0.7");
    EXPECT_EQ(plain->port, 8080) << "the profile's";
    const auto full = parse_url("https://[fd00::7]:8443/api/v1/", 80);
    ASSERT_TRUE(full);
    EXPECT_TRUE(full->tls);
    EXPECT_EQ(full->host, "fd00::7");
    EXPECT_EQ(full->port, 8443);
    EXPECT_EQ(full->base, "/api/v1");
    EXPECT_EQ(parse_url("https://meter.example", 80)->port, 443);
    EXPECT_EQ(parse_url("https://[fd00::7]", 80)->host, "fd00::7");
    for (const auto* wrong : {"http://", "ftp://x", "http://:80", "http://x:0", "http://x:70000",
                              "http://x:8a", "http://a?b", "http://x/#y", "http://x/a?b"}) {
        EXPECT_FALSE(parse_url(wrong, 80)) << wrong;
    }
}

}  // namespace
}  // namespace gateway::http_json
