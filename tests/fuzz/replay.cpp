// Feeds every file of the folders given to the fuzz target, and some prefixes of each; for builds
// without libFuzzer.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t most_prefixes = 64;

std::size_t replay(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(in), {}};
    // A copy of exactly the input's size, so that a sanitizer sees a read beyond it.
    const auto feed = [&text](std::size_t size) {
        const std::vector<std::uint8_t> bytes(text.begin(),
                                              text.begin() + static_cast<std::ptrdiff_t>(size));
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    };
    feed(text.size());
    const auto step = text.size() / most_prefixes + 1;
    std::size_t inputs = 1;
    for (std::size_t size = 0; size < text.size(); size += step) {
        feed(size);
        ++inputs;
    }
    return inputs;
}

}  // namespace

int main(int argc, char** argv)
{
    std::size_t inputs = 0;
    for (const char* folder : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) {
                inputs += replay(entry.path());
            }
        }
    }
    std::printf("%zu inputs\n", inputs);
    return inputs == 0 ? 1 : 0;
}
