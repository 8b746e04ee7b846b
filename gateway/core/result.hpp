#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <system_error>

namespace gateway {

using Error = boost::system::error_code;
template <typename T>
using Result = boost::system::result<T, Error>;
using Status = Result<void>;

/// Faults of a device or of what it sent; everything else keeps the code the
/// operating system or the library gave it.
enum class Fault {
    timed_out = 1,  ///< no complete answer before the deadline
    short_frame,    ///< fewer bytes than the protocol needs
    bad_checksum,
    unexpected_reply,  ///< well formed, but not the answer to our request
    refused,           ///< the other side answered that it will not
    not_found,         ///< a name that does not resolve, a row that is not there
    too_large,         ///< over a limit that the protocol page states
    malformed,         ///< bytes that are not what they claim to be
    closed,            ///< the connection ended
    no_space,          ///< a budget or the disk is full
};

inline const boost::system::error_category& fault_category() noexcept
{
    struct Category final : boost::system::error_category {
        const char* name() const noexcept override { return "gateway"; }
        std::string message(int code) const override
        {
            switch (static_cast<Fault>(code)) {
                case Fault::timed_out:
                    return "no answer before the deadline";
                case Fault::short_frame:
                    return "frame too short";
                case Fault::bad_checksum:
                    return "checksum mismatch";
                case Fault::unexpected_reply:
                    return "reply does not match the request";
                case Fault::refused:
                    return "refused by the other side";
                case Fault::not_found:
                    return "not found";
                case Fault::too_large:
                    return "larger than allowed";
                case Fault::malformed:
                    return "malformed";
                case Fault::closed:
                    return "connection closed";
                case Fault::no_space:
                    return "no space left";
            }
            return "unknown fault";
        }
    };
    static const Category instance;
    return instance;
}

inline Error make_error_code(Fault fault) noexcept
{
    return {static_cast<int>(fault), fault_category()};
}

}  // namespace gateway

template <>
struct boost::system::is_error_code_enum<gateway::Fault> : std::true_type {
};
