#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gateway {

/// error: someone must act. warning: we went on. info: a state changed. debug: everything else.
enum class LogLevel : std::uint8_t { error, warning, info, debug };

/// What varies in a log line. Lives as long as the call to log().
class LogField {
public:
    template <typename Text>
    requires std::convertible_to<const Text&, std::string_view> LogField(std::string_view key,
                                                                         const Text& text)
        : key_(key), text_(text)
    {
    }
    template <std::integral Number>
    LogField(std::string_view key, Number number) : key_(key)
    {
        if constexpr (std::signed_integral<Number>) {
            set(static_cast<std::int64_t>(number));
        } else {
            set(static_cast<std::uint64_t>(number));
        }
    }
    LogField(std::string_view key, double number);
    LogField(const LogField&) = delete;
    LogField& operator=(const LogField&) = delete;

    std::string_view key() const { return key_; }
    std::string_view text() const { return text_; }

private:
    void set(std::int64_t number);
    void set(std::uint64_t number);

    std::string_view key_, text_;
    std::array<char, 32> digits_{};
};

/// One line on standard error: `<6>text key=value …`, the prefix as sd-daemon(3) has it. `text` is
/// constant and greppable. Values are quoted where needed, control characters escaped; a line ends
/// after 2 KB. From any thread.
void log(LogLevel level, std::string_view text, std::initializer_list<LogField> fields = {});

/// The line that log() writes, with its newline.
std::string log_line(LogLevel level, std::string_view text, std::initializer_list<LogField> fields);

/// Lines above `level` are counted and not written. Starts as info.
void set_log_level(LogLevel level);

/// Lines of `level` since the start of the process.
std::uint64_t logged(LogLevel level);

}  // namespace gateway
