#include "gateway/config/secrets.hpp"

#include "folder.hpp"

#include <sys/stat.h>

namespace gateway::secrets_test {

namespace {

class Secrets : public testing::Test {
protected:
    Secrets() { forget(); }
    ~Secrets() override { forget(); }

    static void forget()
    {
        unsetenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): one thread
    }
    void write(const std::string& name, const std::string& text, mode_t mode) const
    {
        ASSERT_EQ(chmod(folder.write(name, text).c_str(), mode), 0);
    }

    const Folder folder;
};

TEST_F(Secrets, AreReadWithoutTheirLastNewline)
{
    write("secrets/broker", "word\n\n", 0600);
    EXPECT_EQ(read_secret("broker", folder.path()).value(), "word\n");
}

TEST_F(Secrets, ReadableByOthersAreRefused)
{
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        write("secrets/broker", "word", mode);
        EXPECT_EQ(read_secret("broker", folder.path()).error(), Fault::refused) << mode;
    }
}

TEST_F(Secrets, TheCredentialsOfSystemdComeFirst)
{
    write("secrets/broker", "mine", 0600);
    write("credentials/broker", "systemd's", 0440);
    const auto given = folder.path("credentials");
    setenv("CREDENTIALS_DIRECTORY", given.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
    EXPECT_EQ(read_secret("broker", folder.path()).value(), "systemd's");
    write("secrets/other", "mine", 0600);
    EXPECT_EQ(read_secret("other", folder.path()).value(), "mine");
}

TEST_F(Secrets, NamesStayInsideTheFolder)
{
    write("gateway.toml", "x", 0600);
    for (const auto* name : {"../gateway.toml", "", ".", "..", "a/b", "a b"}) {
        EXPECT_EQ(read_secret(name, folder.path()).error(), Fault::malformed) << name;
    }
}

TEST_F(Secrets, AreBounded)
{
    write("secrets/long", std::string(longest_secret, 'x'), 0600);
    EXPECT_EQ(read_secret("long", folder.path())->size(), longest_secret);
    write("secrets/long", std::string(longest_secret + 1, 'x'), 0600);
    EXPECT_EQ(read_secret("long", folder.path()).error(), Fault::too_large);
}

TEST_F(Secrets, APipeIsRefusedAndDoesNotBlock)
{
    folder.write("secrets/x", "");
    ASSERT_EQ(mkfifo(folder.path("secrets/pipe").c_str(), 0600), 0);
    EXPECT_EQ(read_secret("pipe", folder.path()).error(), Fault::refused);
}

}  // namespace

}  // namespace gateway::secrets_test
