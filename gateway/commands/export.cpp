// The readings of a store as lines: JSON as the receiver writes it, or CSV.
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/store.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/receiver/lines.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/store/survey.hpp"

#include <array>
#include <fstream>
#include <iostream>
#include <string>

namespace gateway {

namespace {

constexpr std::array<std::string_view, 12> csv_columns{"box",   "device", "point",   "time",
                                                       "value", "unit",   "quality", "cause",
                                                       "lane",  "epoch",  "seq",     "boot_ms"};

// A JSON value ends before a comma or brace that is in no string and no inner value.
std::size_t value_end(std::string_view line, std::size_t at)
{
    bool in_text = false;
    int depth = 0;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (in_text) {
            at += c == '\\' ? 1U : 0U;
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (depth == 0 && (c == ',' || c == '}')) {
            break;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return std::min(at, line.size());
}

// The member's text as it stands in a line that we have made, so that no number is bent.
std::string_view member(std::string_view line, std::string_view key)
{
    for (std::size_t at = 1; at < line.size();) {
        const auto colon = value_end(line, at);
        const auto part = line.substr(at, colon - at);
        const auto name_end = part.find("\":");
        if (name_end != std::string_view::npos && part.substr(1, name_end - 1) == key) {
            return part.substr(name_end + 2);
        }
        at = colon + 1;
    }
    return {};
}

void append_csv_field(std::string& out, std::string_view json_value)
{
    if (json_value == "null" || json_value.empty()) {
        return;
    }
    std::string text(json_value);
    if (json_value.front() == '"') {
        const auto parsed = parse_json(json_value);
        text = parsed && parsed->is_string() ? std::string(parsed->get_string()) : text;
    }
    // A spreadsheet takes a text that begins like this for a formula.
    const bool formula = json_value.front() == '"' && !text.empty() &&
                         std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
    if (formula) {
        text.insert(text.begin(), '\'');
    }
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        out += c == '"' ? "\"\"" : std::string(1, c);
    }
    out += '"';
}

// Turns rows into lines and writes them.
class Exporter {
public:
    Exporter(const HeldRows& held, const StoreSurvey& survey, std::ostream& out, bool csv)
        : held_(held), survey_(survey), out_(out), csv_(csv)
    {
        for (std::size_t i = 0; csv_ && i < csv_columns.size(); ++i) {
            out_ << (i == 0 ? "" : ",") << csv_columns[i];
        }
        out_ << (csv_ ? "\n" : "");
    }

    void write(const HeldRow& row)
    {
        const auto batch = decoder_.decode(row.message);
        if (!batch) {
            ++damaged_;
            return;
        }
        const auto* readings = std::get_if<std::vector<Reading>>(&batch->content);
        if (readings == nullptr) {
            write_gap(*batch);
            return;
        }
        const auto dictionaries = dictionaries_of(batch->header);
        ReadingLines lines(org_, batch->header, clock_of(batch->header), dictionaries);
        auto sequence = batch->header.first;
        for (const auto& reading : *readings) {
            line_.clear();
            lines.append(line_, sequence++, reading);
            put();
        }
    }

    std::uint64_t written() const { return written_; }
    std::uint64_t damaged() const { return damaged_; }

private:
    void put()
    {
        if (!csv_) {
            out_ << line_;
            ++written_;
        } else if (member(line_, "line") == "\"reading\"") {
            fields_.clear();
            for (std::size_t i = 0; i < csv_columns.size(); ++i) {
                fields_ += i == 0 ? "" : ",";
                append_csv_field(fields_, member(line_, csv_columns[i]));
            }
            out_ << fields_ << '\n';
            ++written_;
        }
    }

    void write_gap(const Batch& batch)
    {
        const auto& lost = std::get<Tombstone>(batch.content);
        const auto& header = batch.header;
        line_.clear();
        append_gap(line_, {header.box, org_, header.epoch, header.lane}, header.first,
                   header.first + lost.count - 1, to_string(lost.reason),
                   unix_ms(lost.first_time, clock_of(header)),
                   unix_ms(lost.last_time, clock_of(header)));
        put();
    }

    // A batch from before the clock was set is dated by a later one of the same boot.
    std::optional<std::int64_t> clock_of(const BatchHeader& header) const
    {
        if (const auto own = wall_minus_boot_ms(header)) {
            return own;
        }
        const auto later = survey_.clocks.find(header.boot);
        return later == survey_.clocks.end() ? std::nullopt : std::optional(later->second.count());
    }

    std::vector<std::shared_ptr<const Dictionary>> dictionaries_of(const BatchHeader& header)
    {
        std::vector<std::shared_ptr<const Dictionary>> found;
        for (const auto& ref : header.dictionaries) {
            auto& known = known_[ref.hash];
            if (!known) {
                known = std::make_shared<const Dictionary>(parse(header.box, ref));
            }
            found.push_back(known->device() == ref.device ? known
                                                          : std::make_shared<const Dictionary>(
                                                                Dictionary::unknown(ref.device)));
        }
        return found;
    }

    Dictionary parse(const std::string& box, const DictionaryRef& ref)
    {
        const auto bytes = held_.dictionaries().find(ref.hash);
        if (bytes != held_.dictionaries().end()) {
            const auto parsed = parse_json(bytes->second, most_dictionary_bytes);
            if (parsed && parsed->is_object()) {
                org_ = text_of(parsed->get_object(), "org");
            }
            auto dictionary =
                Dictionary::parse(bytes->second, {TopicKind::dictionary, org_, box, ref.hash});
            if (dictionary) {
                return std::move(*dictionary);
            }
        }
        return Dictionary::unknown(ref.device);
    }

    const HeldRows& held_;
    const StoreSurvey& survey_;
    std::ostream& out_;
    bool csv_;
    std::string org_;
    std::string line_, fields_;
    std::map<DictionaryHash, std::shared_ptr<const Dictionary>> known_;
    BatchDecoder decoder_;
    std::uint64_t written_ = 0, damaged_ = 0;
};

int run_export(HeldRows& rows, std::ostream& out, bool csv)
{
    Progress progress;
    const auto found = survey(rows, false, [&progress](std::uint64_t seen) {
        progress.say("looked at " + std::to_string(seen) + " batches");
    });
    Exporter exporter(rows, found, out, csv);
    rows.visit([&](const HeldRow& row) {
        exporter.write(row);
        progress.say("wrote " + std::to_string(exporter.written()) + " of " +
                     std::to_string(found.readings) + " lines");
    });
    out.flush();
    if (!out) {
        return refuse("the lines could not be written: is the disk full?");
    }
    if (exporter.damaged() > 0) {
        return refuse(std::to_string(exporter.damaged()) +
                      " damaged rows were left out: smart-gateway store verify");
    }
    return 0;
}

}  // namespace

int store_export(const CommandOptions& options, const ExportOptions& what)
{
    try {
        const auto rows = open_rows(options, what.path);
        if (what.out.empty()) {
            return run_export(*rows, std::cout, what.csv);
        }
        std::ofstream file(what.out, std::ios::binary);
        if (!file) {
            return refuse(what.out + " cannot be written");
        }
        return run_export(*rows, file, what.csv);
    } catch (const StoreError& error) {
        return say_no_store(state_directory(options, what.path), error.what());
    }
}

}  // namespace gateway
