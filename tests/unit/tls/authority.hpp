#pragma once

#include "tests/support/broker.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace gateway::test {

/// The authority of tests/support/ca.py in a folder of one test.
class Authority {
public:
    Authority()
    {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread
        ::setenv("PYTHONPATH", SOURCE_DIR "/tests/support", 1);
    }

    std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
    std::string ca() const { return file("ca.crt"); }

    /// NAME.key and NAME.crt; `options` are those of Authority.issue in Python.
    void issue(const std::string& name, const std::string& options = "")
    {
        python("issue('" + name + "'" + (options.empty() ? "" : ", " + options) + ")");
    }
    /// Signs a request; the certificate's text.
    std::string sign(const std::string& request, const std::string& options = "")
    {
        std::ofstream(file("asked.csr")) << request;
        python("sign('" + file("asked.csr") + "', '" + file("signed.crt") + "'" +
               (options.empty() ? "" : ", " + options) + ")");
        return text("signed.crt");
    }
    std::string text(const std::string& name) const
    {
        std::ifstream in(file(name));
        return {std::istreambuf_iterator<char>(in), {}};
    }

private:
    void python(const std::string& call) const
    {
        const auto command = "/usr/bin/python3 -B -c \"import ca; ca.Authority('" +
                             folder_.path().string() + "')." + call + "\"";
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the tests have one thread here
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
    }

    TemporaryFolder folder_;
};

}  // namespace gateway::test
