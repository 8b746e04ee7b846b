#include "gateway/runtime/log.hpp"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <charconv>

namespace gateway {

namespace {

constexpr std::size_t longest_line = 2048;
constexpr std::array<std::string_view, 4> prefixes{"<3>", "<4>", "<6>", "<7>"};

// The process has one standard error: its level and counters are the process's too.
std::atomic<LogLevel> most{LogLevel::info};
std::array<std::atomic<std::uint64_t>, 4> counters{};

std::size_t index_of(LogLevel level)
{
    return static_cast<std::size_t>(level);
}

bool is_control(char letter)
{
    const auto byte = static_cast<unsigned char>(letter);
    return byte < 0x20 || byte == 0x7F;
}

bool is_plain(std::string_view text)
{
    const auto special = [](char letter) {
        return is_control(letter) || letter == ' ' || letter == '"' || letter == '=' ||
               letter == '\\';
    };
    return !text.empty() && std::none_of(text.begin(), text.end(), special);
}

void append_escaped(std::string& line, std::string_view text, bool quoted)
{
    constexpr std::string_view hex = "0123456789abcdef";
    for (const char letter : text.substr(0, longest_line)) {
        if (is_control(letter)) {
            const auto byte = static_cast<unsigned char>(letter);
            line += "\\x";
            line += hex[byte >> 4U];
            line += hex[byte & 0xFU];
        } else {
            if (quoted && (letter == '"' || letter == '\\')) {
                line += '\\';
            }
            line += letter;
        }
    }
}

void append_value(std::string& line, std::string_view text)
{
    if (is_plain(text)) {
        line += text;
        return;
    }
    line += '"';
    append_escaped(line, text, true);
    line += '"';
}

}  // namespace

LogField::LogField(std::string_view key, double number) : key_(key)
{
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    text_ = {digits_.data(), static_cast<std::size_t>(end - digits_.data())};
}

void LogField::set(std::int64_t number)
{
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    text_ = {digits_.data(), static_cast<std::size_t>(end - digits_.data())};
}

void LogField::set(std::uint64_t number)
{
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    text_ = {digits_.data(), static_cast<std::size_t>(end - digits_.data())};
}

std::string log_line(LogLevel level, std::string_view text, std::initializer_list<LogField> fields)
{
    std::string line(prefixes[index_of(level)]);
    append_escaped(line, text, false);
    for (const auto& field : fields) {
        if (line.size() >= longest_line) {
            break;
        }
        line += ' ';
        append_escaped(line, field.key(), false);
        line += '=';
        append_value(line, field.text());
    }
    if (line.size() >= longest_line) {
        line.resize(longest_line - 4);
        line += "...";
    }
    line += '\n';
    return line;
}

void log(LogLevel level, std::string_view text, std::initializer_list<LogField> fields)
{
    counters[index_of(level)].fetch_add(1, std::memory_order_relaxed);
    if (level > most.load(std::memory_order_relaxed)) {
        return;
    }
    const auto line = log_line(level, text, fields);
    // One call, so that lines of two threads do not mix; a closed standard error is no reason to
    // stop.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_log_level(LogLevel level)
{
    most.store(level, std::memory_order_relaxed);
}

std::uint64_t logged(LogLevel level)
{
    return counters[index_of(level)].load(std::memory_order_relaxed);
}

}  // namespace gateway
