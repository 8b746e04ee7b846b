#include "drivers/sysfs/example.hpp"

#include "gateway/acquire/example.hpp"

#include <set>

namespace gateway::sysfs {

namespace {

/// The files of an example as a tree below "/".
class ExampleFiles final : public Files {
public:
    explicit ExampleFiles(const Example& example)
    {
        for (const auto& [path, text] : get(example.raw, "files", SettingTable{})) {
            texts_["/" + path] = std::get<std::string>(text.value);
        }
    }

    std::vector<std::string> names(const std::string& folder) const override
    {
        const auto below = folder.ends_with('/') ? folder : folder + '/';
        std::set<std::string> names;
        for (auto at = texts_.lower_bound(below);
             at != texts_.end() && at->first.starts_with(below); ++at) {
            names.insert(
                at->first.substr(below.size(), at->first.find('/', below.size()) - below.size()));
        }
        return {names.begin(), names.end()};
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

std::vector<std::string> run_examples(const Profile& profile, const SourceMap& map)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        const ExampleFiles files(example);
        Samples samples;
        for (std::size_t row = 0; row < map.points.size(); ++row) {
            samples.push_back(sample_of(map.points[row], fetch(files, "/", map.points[row])));
            samples.back().row = static_cast<std::uint16_t>(row);
        }
        const auto own = differences_from(example, profile, std::move(samples));
        differences.insert(differences.end(), own.begin(), own.end());
    }
    return differences;
}

}  // namespace gateway::sysfs
