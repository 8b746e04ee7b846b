#include "gateway/core/value.hpp"

namespace gateway {

Value Value::of_text(std::string text)
{
    Value value(Kind::text, 0);
    value.text_ = std::make_unique<const std::string>(std::move(text));
    return value;
}

std::unique_ptr<const std::string> Value::text_copy() const
{
    return std::make_unique<const std::string>(*text_);
}

}  // namespace gateway
