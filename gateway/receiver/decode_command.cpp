#include "gateway/receiver/decode_command.hpp"

#include "gateway/receiver/lines.hpp"
#include "gateway/store/batch.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>

namespace gateway {

namespace {

using Found = std::shared_ptr<const Dictionary>;  // as ReadingLines takes them

std::optional<std::string> contents(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return file.is_open() && !file.bad() ? std::optional(std::move(bytes)) : std::nullopt;
}

std::string why_refused(ByteView message, const Error& error)
{
    constexpr std::string_view identifier = "SSB1";
    if (error == Fault::too_large) {
        return "larger than a batch may be (1 MB, and 1 MB decompressed)";
    }
    if (message.size() < 8 ||
        !std::equal(identifier.begin(), identifier.end(), message.begin() + 4)) {
        return "not a batch: bytes 5 to 8 are not SSB1";
    }
    if (error == Fault::bad_checksum) {
        return "the checksum does not match: bytes were changed";
    }
    return decode_header(message) ? "the header is whole, the body is not"
                                  : "cut short, of another version, or with impossible numbers";
}

void print_header(std::ostream& out, const Batch& batch, std::size_t size)
{
    const auto& header = batch.header;
    const auto* tombstone = std::get_if<Tombstone>(&batch.content);
    out << "batch of " << batch.count() << (tombstone != nullptr ? " lost" : "") << " readings, "
        << size << " bytes\n"
        << "  box        " << header.box << "\n  epoch      " << header.epoch.hex()
        << "\n  lane       " << to_string(header.lane) << "\n  sequences  " << header.first
        << " to " << header.first + batch.count() - 1 << "\n  boot       " << header.boot.hex()
        << "\n  opened     " << header.opened.time_since_epoch().count()
        << " ms since boot, clock ";
    std::string wall;
    UtcText().append(wall, header.clock.wall.time_since_epoch().count());
    const auto unset = header.clock.state == ClockState::unset;
    out << (unset ? "unset" : wall) << '\n';
    for (const auto& ref : header.dictionaries) {
        out << "  device     " << ref.device << " by dictionary " << hash_hex(ref.hash) << '\n';
    }
}

// A saved dictionary by its hash; it names box and org itself.
Checked<std::pair<DictionaryHash, Found>> read_dictionary(const std::string& path)
{
    const auto bytes = contents(path);
    if (!bytes) {
        return Refusal{"cannot be read"};
    }
    const auto parsed = parse_json(*bytes, most_dictionary_bytes);
    const auto* root = parsed.has_value() ? parsed->if_object() : nullptr;
    if (root == nullptr) {
        return Refusal{"not JSON"};
    }
    const Topic topic{TopicKind::dictionary, std::string(text_of(*root, "org")),
                      std::string(text_of(*root, "box")), dictionary_hash(*bytes)};
    auto dictionary = Dictionary::parse(*bytes, topic);
    if (!dictionary) {
        return dictionary.error();
    }
    Found found = std::make_shared<const Dictionary>(std::move(*dictionary));
    return std::pair(topic.hash, std::move(found));
}

void print_lines(std::ostream& out, const Batch& batch,
                 const std::map<DictionaryHash, Found>& known, const std::string& org)
{
    const auto& header = batch.header;
    std::string lines;
    if (const auto* tombstone = std::get_if<Tombstone>(&batch.content)) {
        const auto wall_minus_boot = wall_minus_boot_ms(header);
        append_gap(lines, {header.box, org, header.epoch, header.lane}, header.first,
                   header.first + tombstone->count - 1, to_string(tombstone->reason),
                   unix_ms(tombstone->first_time, wall_minus_boot),
                   unix_ms(tombstone->last_time, wall_minus_boot));
        out << lines;
        return;
    }
    std::vector<Found> found;
    for (const auto& ref : header.dictionaries) {
        const auto at = known.find(ref.hash);
        found.push_back(at != known.end() && at->second->device() == ref.device
                            ? at->second
                            : std::make_shared<const Dictionary>(Dictionary::unknown(ref.device)));
    }
    ReadingLines writer(org, header, wall_minus_boot_ms(header), found);
    auto sequence = header.first;
    for (const auto& reading : std::get<std::vector<Reading>>(batch.content)) {
        writer.append(lines, sequence++, reading);
    }
    out << lines;
}

}  // namespace

int decode_file(const std::string& path, const std::vector<std::string>& dictionary_paths,
                std::ostream& out, std::ostream& problems)
{
    const auto bytes = contents(path);
    if (!bytes) {
        problems << path << ": cannot be read\n";
        return 2;
    }
    std::map<DictionaryHash, Found> known;
    for (const auto& name : dictionary_paths) {
        auto dictionary = read_dictionary(name);
        if (!dictionary) {
            problems << name << ": not a dictionary: " << dictionary.error().reason << '\n';
            return 2;
        }
        known.insert(std::move(*dictionary));
    }
    const ByteView message(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size());
    const auto batch = decode(message);
    if (!batch) {
        problems << path << ": refused: " << why_refused(message, batch.error()) << '\n';
        return 1;
    }
    print_header(out, *batch, bytes->size());
    const auto dot = batch->header.box.find('.');
    print_lines(out, *batch, known, batch->header.box.substr(0, dot));
    return 0;
}

}  // namespace gateway
