#include "gateway/commands/redact.hpp"

#include <gtest/gtest.h>

namespace gateway::redact_test {

namespace {

const Redactor redactor({"marker", "marker-that-is-longer", "abc"});

TEST(Redact, ContentsOfSecretFilesGoWhereverTheyStand)
{
    EXPECT_EQ(redactor.clean("GET /x?key=marker HTTP"), "GET /x?key=(removed) HTTP");
    EXPECT_EQ(redactor.clean("marker-that-is-longer"), "(removed)");
    EXPECT_EQ(redactor.clean("abc is too short to be taken out"),
              "abc is too short to be taken out");
}

TEST(Redact, UsersOfAUrlGoAndItsHostStays)
{
    const Redactor none({});
    EXPECT_EQ(none.clean("broker = \"mqtts://box:s3cret@host.example:8883\""),
              "broker = \"mqtts://(removed)@host.example:8883\"");
    EXPECT_EQ(none.clean("http://u:p@w@h/p and http://h/a@b"),
              "http://(removed)@h/p and http://h/a@b");
    EXPECT_EQ(none.clean("http://"), "http://");
}

TEST(Redact, ValuesOfKeysThatAreNamedLikeASecretGo)
{
    const Redactor none({});
    EXPECT_EQ(none.clean("password = \"s3cret \\\" x\" # why"), "password = \"(removed)\" # why");
    EXPECT_EQ(none.clean("{\"API_KEY\": \"s3cret\", \"id\": 1}"),
              "{\"API_KEY\": \"(removed)\", \"id\": 1}");
    EXPECT_EQ(none.clean("auth_token='s3cret'\nid='x'"), "auth_token='(removed)'\nid='x'");
    EXPECT_EQ(none.clean("url?token=s3cret&x=1"), "url?token=(removed)&x=1");
    EXPECT_EQ(none.clean("Authorization: Basic czNjcmV0\nHost: h"),
              "Authorization: (removed)\nHost: h");
    EXPECT_EQ(none.clean("secret = \"NAME\""), "secret = \"NAME\"");  // a name, by design
    EXPECT_EQ(none.clean("the password was refused"), "the password was refused");
    EXPECT_EQ(none.clean("password ="), "password =");
    EXPECT_EQ(none.clean("password = \""), "password = \"(removed)");
}

TEST(Redact, PrivateKeysGoAndCertificatesStay)
{
    const Redactor none({});
    const std::string begin = "-----BEGIN ", end = "-----END ", key = "PRIVATE KEY-----";
    EXPECT_EQ(none.clean("a " + begin + key + "\nAAAA\n" + end + key + " b"), "a (removed) b");
    EXPECT_EQ(none.clean(begin + "EC " + key + "\nAAAA"), "(removed)");
    const std::string certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    EXPECT_EQ(none.clean(certificate), certificate);
}

}  // namespace

}  // namespace gateway::redact_test
