#include "gateway/acquire/due_rows.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace gateway {

namespace {

using RowsById = std::map<std::string, std::uint16_t, std::less<>>;
using Companions = std::map<std::uint16_t, std::set<std::uint16_t>>;

void add(Companions& companions, const RowsById& rows, std::uint16_t row, const std::string& on)
{
    const auto found = rows.find(on);
    if (found != rows.end() && found->second != row) {
        companions[row].insert(found->second);
    }
}

template <typename Rule>
void add_rules(Companions& companions, const RowsById& rows, const std::vector<Rule>& rules,
               const std::vector<Point>& points)
{
    const auto row_count = static_cast<std::uint16_t>(points.size());
    for (const auto& rule : rules) {
        for (std::uint16_t row = 0; row < row_count; ++row) {
            const bool all = rule.points.empty() && !points[row].hidden;
            const auto& names = rule.points;
            if (all || std::find(names.begin(), names.end(), points[row].id) != names.end()) {
                add(companions, rows, row, rule.point);
            }
        }
    }
}

/// Adds what the rows need themselves.
void complete(const Companions& companions, std::set<std::uint16_t>& rows)
{
    for (std::vector<std::uint16_t> open(rows.begin(), rows.end()); !open.empty();) {
        const auto more = companions.find(open.back());
        open.pop_back();
        if (more == companions.end()) {
            continue;
        }
        for (const auto row : more->second) {
            if (rows.insert(row).second) {
                open.push_back(row);
            }
        }
    }
}

}  // namespace

DueRows::DueRows(const Profile& profile)
{
    const auto& points = profile.points;
    const auto row_count = static_cast<std::uint16_t>(points.size());
    RowsById rows;
    for (std::uint16_t row = 0; row < row_count; ++row) {
        rows.emplace(points[row].id, row);
    }
    Companions companions;
    std::set<std::uint16_t> counts;
    for (std::uint16_t row = 0; row < row_count; ++row) {
        const auto& point = points[row];
        add(companions, rows, row, point.fallback);
        add(companions, rows, row, point.good_if ? point.good_if->point : "");
        add(companions, rows, row, point.unit_from ? point.unit_from->point : "");
        add(companions, rows, row, point.scale_from ? point.scale_from->point : "");
        const auto count = point.row ? rows.find(point.row->count) : rows.end();
        if (count != rows.end()) {
            add(companions, rows, row, point.row->count);
            counts.insert(count->second);
            limits_.resize(points.size());
            limits_[row] = {.count_row = count->second, .number = point.row->number};
        }
    }
    add_rules(companions, rows, profile.status, points);
    add_rules(companions, rows, profile.ages, points);
    if (!companions.empty()) {
        companions_.resize(points.size());
        for (auto& [row, with] : companions) {
            complete(companions, with);
            companions_[row].assign(with.begin(), with.end());
        }
    }
    count_rows_.assign(counts.begin(), counts.end());
    counts_.assign(count_rows_.empty() ? 0 : points.size(), unknown);
}

PointSet DueRows::unknown_counts()
{
    unknown_.clear();
    for (const auto row : count_rows_) {
        if (counts_[row] == unknown) {
            unknown_.push_back(row);
        }
    }
    return unknown_;
}

bool DueRows::exists(std::uint16_t row) const
{
    if (limits_.empty() || limits_[row].count_row < 0) {
        return true;
    }
    return limits_[row].number <= counts_[static_cast<std::size_t>(limits_[row].count_row)];
}

bool DueRows::is_unknown(std::uint16_t row) const
{
    return !exists(row) && counts_[static_cast<std::size_t>(limits_[row].count_row)] == unknown;
}

PointSet DueRows::existing(PointSet due)
{
    if (limits_.empty()) {
        return due;
    }
    existing_.clear();
    for (const auto row : due) {
        if (exists(row)) {
            existing_.push_back(row);
        }
    }
    return existing_;
}

PointSet DueRows::with_companions(PointSet due)
{
    if (companions_.empty()) {
        return due;
    }
    all_.assign(due.begin(), due.end());
    for (const auto row : due) {
        all_.insert(all_.end(), companions_[row].begin(), companions_[row].end());
    }
    std::sort(all_.begin(), all_.end());
    all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
    return all_;
}

bool DueRows::learn(std::uint16_t row, std::int64_t count)
{
    const auto told = std::max(count, unknown);
    const bool changed = told != unknown && counts_[row] != unknown && counts_[row] != told;
    counts_[row] = told == unknown ? counts_[row] : told;
    return changed;
}

void DueRows::forget_counts()
{
    std::fill(counts_.begin(), counts_.end(), unknown);
}

std::map<Duration, std::vector<std::uint16_t>> rows_by_poll(const Profile& profile)
{
    std::map<Duration, std::vector<std::uint16_t>> rows;
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        if (!profile.points[row].hidden) {
            rows[profile.points[row].poll].push_back(static_cast<std::uint16_t>(row));
        }
    }
    return rows;
}

}  // namespace gateway
