#include "drivers/sysfs/codec.hpp"

#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace gateway;
using namespace gateway::sysfs;

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

/// Every line is a file: its name up to the first blank, its text behind it.
class Tree final : public Files {
public:
    explicit Tree(std::string_view lines)
    {
        while (!lines.empty()) {
            const auto line = lines.substr(0, lines.find('\n'));
            lines.remove_prefix(std::min(line.size() + 1, lines.size()));
            const auto blank = std::min(line.find(' '), line.size());
            texts_["/" + std::string(line.substr(0, blank))] = std::string(line.substr(blank));
        }
    }
    std::vector<std::string> names(const std::string& folder) const override
    {
        std::vector<std::string> names;
        for (const auto& [path, text] : texts_) {
            if (path.starts_with(folder)) {
                const auto rest = path.substr(folder.size());
                names.push_back(rest.substr(0, rest.find('/')));
            }
        }
        return names;
    }
    Result<std::string> read(const std::string& path) const override
    {
        const auto at = texts_.find(path);
        return at == texts_.end() ? Result<std::string>(Fault::not_found) : at->second;
    }

private:
    std::map<std::string, std::string> texts_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1) {
        return 0;
    }
    static const Pattern w1("t=(-?[0-9]+)");
    static const Pattern intact("crc=[0-9a-f]{2} YES");
    static const Pattern label("^ *Package");
    const Tree tree({reinterpret_cast<const char*>(data + 1), size - 1});  // NOLINT
    Source source{.file = "hwmon*/temp*_input", .where = {}, .times = {}, .plus = {}};
    source.type = static_cast<TextType>(data[0] % 4);
    source.pick = static_cast<Pick>(data[0] / 4 % 4);
    if ((data[0] & 16U) != 0) {
        source.where = {{"hwmon*/temp*_label", label}};
    }
    if ((data[0] & 32U) != 0) {
        source.match = w1;
        source.intact = intact;
    }
    if ((data[0] & 64U) != 0) {
        source.times = "hwmon*/temp*_scale";
        source.plus = "hwmon*/temp*_offset";
    }
    const auto contents = fetch(tree, "/", source);
    expect(contents.size() <= most_found);
    const auto sample = sample_of(source, contents);
    expect((sample.quality == Quality::good) == !sample.raw.is_none());
    return 0;
}
