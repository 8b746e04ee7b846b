#include "gateway/receiver/check.hpp"

#include "gateway/core/json.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gateway {

namespace {

constexpr auto not_held = "freed by the box and not in this state: restored from an old copy?";
constexpr auto before_my_time = "before this receiver's time";

std::uint64_t size_of(const std::vector<Range>& ranges)
{
    std::uint64_t size = 0;
    for (const auto& range : ranges) {
        size += range.size();
    }
    return size;
}

// The gaps less what came after they were declared.
std::vector<Gap> open_gaps(const std::vector<Gap>& gaps, const LaneAccount& account)
{
    std::vector<Gap> open;
    for (const auto& gap : gaps) {
        for (const auto& hole : account.data.holes(gap.range)) {
            open.push_back({hole, gap.reason});
        }
    }
    for (const auto& range : account.forgone.ranges()) {
        if (range.first != 1) {
            open.push_back({range, not_held});
        }
    }
    return open;
}

std::uint64_t size_of(const std::vector<Gap>& gaps)
{
    std::uint64_t size = 0;
    for (const auto& gap : gaps) {
        size += gap.range.size();
    }
    return size;
}

std::string as_text(Range range)
{
    return std::to_string(range.first) +
           (range.first == range.last ? "" : "-" + std::to_string(range.last));
}

void append_stretches(std::string& out, const LaneReport& lane)
{
    constexpr std::size_t most = 20;
    std::size_t shown = 0;
    const auto add = [&](Range range, const std::string& reason) {
        if (++shown <= most) {
            out += "      " + as_text(range) + "  " + reason + '\n';
        }
    };
    for (const auto& range : lane.verdict.missing) {
        add(range, "missing: neither delivered nor declared lost");
    }
    for (const auto& gap : lane.gaps) {
        add(gap.range, "lost: " + gap.reason);
    }
    for (const auto& range : lane.account.forgone.ranges()) {
        if (range.first == 1) {
            add(range, before_my_time);
        }
    }
    if (shown > most) {
        out += "      and " + std::to_string(shown - most) + " more\n";
    }
    if (!lane.verdict.note.empty()) {
        out += "      " + lane.verdict.note + '\n';
    }
}

json::array ranges_json(const std::vector<Range>& ranges)
{
    json::array array;
    for (const auto& range : ranges) {
        array.push_back(json::array{range.first, range.last});
    }
    return array;
}

bool is_whole(const LaneReport& lane)
{
    return lane.gaps.empty() && (lane.verdict.completeness == Completeness::identical ||
                                 lane.verdict.completeness == Completeness::counted);
}

json::object lane_json(const LaneReport& lane)
{
    json::array gaps;
    for (const auto& gap : lane.gaps) {
        gaps.push_back(json::object{
            {"first", gap.range.first}, {"last", gap.range.last}, {"reason", gap.reason}});
    }
    return {{"box", lane.box},
            {"epoch", lane.epoch.hex()},
            {"lane", to_string(lane.lane)},
            {"verdict", to_string(lane.verdict.completeness)},
            {"head", lane.account.head},
            {"missing", ranges_json(lane.verdict.missing)},
            {"gaps", std::move(gaps)},
            {"note", lane.verdict.note}};
}

}  // namespace

std::string_view to_string(Completeness completeness)
{
    constexpr std::array<std::string_view, 5> names{"complete", "complete by count", "no manifest",
                                                    "missing", "differs"};
    return names[static_cast<std::size_t>(completeness)];
}

LaneVerdict judge(const LaneAccount& account, const std::vector<Piece>& above_manifest)
{
    const auto head = std::max(account.head, account.manifest ? account.manifest->head : 0);
    if (head > 0) {
        auto missing = account.settled().holes({1, head});
        if (!missing.empty()) {
            return {Completeness::missing, std::move(missing), {}};
        }
    }
    if (!account.manifest) {
        return {Completeness::unknown, {}, {}};
    }
    if (!account.forgone.empty()) {
        return {Completeness::counted, {}, "the sum covers readings from before this state"};
    }
    if (account.cut) {
        return {Completeness::counted, {}, "a part of a batch was declared lost later"};
    }
    const auto& said = *account.manifest;
    if (said.count + said.tombstoned < said.head) {
        return {Completeness::counted,
                {},
                "the box's storage lost what it knew of " +
                    std::to_string(said.head - said.count - said.tombstoned) + " of them"};
    }
    auto count = account.count;
    auto sum = account.sum;
    for (const auto& piece : above_manifest) {
        if (!account.lost.contains(piece.range)) {
            count -= piece.range.size();
            sum -= piece.sum;
        }
    }
    const auto lost = said.head == 0 ? 0 : size_within(account.lost, {1, said.head});
    if (count == said.count && sum == said.sum) {
        const auto newer = head - said.head;
        return newer == 0 ? LaneVerdict{Completeness::identical, {}, {}, true}
                          : LaneVerdict{Completeness::counted,
                                        {},
                                        "the latest " + std::to_string(newer) +
                                            " are newer than the latest manifest",
                                        true};
    }
    if (lost != said.tombstoned && count + lost == said.count + said.tombstoned) {
        return {Completeness::counted, {}, "declared lost, and the manifest counts it otherwise"};
    }
    return {Completeness::differs, {}, {}};
}

LaneVerdict judge(LedgerState& ledger, std::int64_t epoch, Lane lane, const LaneAccount& account)
{
    if (!account.manifest || account.manifest->head >= account.head) {
        return judge(account, {});
    }
    return judge(account, ledger.pieces(epoch, lane, {account.manifest->head + 1, account.head}));
}

std::vector<LaneReport> make_report(LedgerState& ledger)
{
    std::vector<LaneReport> report;
    for (const auto& box : ledger.boxes()) {
        for (const auto& epoch : ledger.epochs(box.box)) {
            for (const auto lane : all_lanes) {
                auto account = ledger.account(epoch.number, lane);
                if (account == LaneAccount{} ||
                    (account.head == 0 && account.manifest && account.manifest->head == 0)) {
                    continue;
                }
                auto verdict = judge(ledger, epoch.number, lane, account);
                auto gaps = open_gaps(ledger.gaps(epoch.number, lane), account);
                report.push_back({box.box, epoch.id, epoch.closed, lane, std::move(account),
                                  std::move(verdict), std::move(gaps)});
            }
        }
    }
    return report;
}

std::string table(const std::vector<LaneReport>& report)
{
    std::string out;
    const LaneReport* before = nullptr;
    for (const auto& lane : report) {
        if (before == nullptr || before->box != lane.box || before->epoch != lane.epoch) {
            out += lane.box + "  epoch " + lane.epoch.hex() + (lane.closed ? "  closed\n" : "\n");
        }
        before = &lane;
        std::array<char, 160> row{};
        std::snprintf(
            row.data(), row.size(), "   %-10s  %-17s  %12llu of %12llu",
            std::string(to_string(lane.lane)).c_str(),
            std::string(to_string(lane.verdict.completeness)).c_str(),
            static_cast<unsigned long long>(lane.account.data.size()),
            static_cast<unsigned long long>(std::max(
                lane.account.head, lane.account.manifest ? lane.account.manifest->head : 0)));
        out += row.data();
        if (!lane.gaps.empty()) {
            out += "  lost " + std::to_string(size_of(lane.gaps));
        }
        if (!lane.verdict.missing.empty()) {
            out += "  missing " + std::to_string(size_of(lane.verdict.missing));
        }
        out += '\n';
        append_stretches(out, lane);
    }
    const auto code = exit_code(report);
    out += code == 0   ? "complete\n"
           : code == 1 ? "not complete\n"
                       : "could not tell: a manifest has not come yet\n";
    return out;
}

std::string to_json(const std::vector<LaneReport>& report)
{
    std::uint64_t readings = 0;
    std::uint64_t missing = 0;
    std::uint64_t lost = 0;
    json::array lanes;
    for (const auto& lane : report) {
        readings += lane.account.data.size();
        missing += size_of(lane.verdict.missing);
        lost += size_of(lane.gaps);
        if (!is_whole(lane)) {
            lanes.push_back(lane_json(lane));
        }
    }
    const auto code = exit_code(report);
    return json::serialize(json::object{{"result", code == 0   ? "complete"
                                                   : code == 1 ? "not complete"
                                                               : "could not tell"},
                                        {"lanes", report.size()},
                                        {"readings", readings},
                                        {"missing", missing},
                                        {"declared_lost", lost},
                                        {"not_complete", std::move(lanes)}});
}

int exit_code(const std::vector<LaneReport>& report)
{
    int code = report.empty() ? 2 : 0;
    for (const auto& lane : report) {
        if (!lane.gaps.empty() || lane.verdict.completeness == Completeness::missing ||
            lane.verdict.completeness == Completeness::differs) {
            return 1;
        }
        if (lane.verdict.completeness == Completeness::unknown) {
            code = 2;
        }
    }
    return code;
}

}  // namespace gateway
