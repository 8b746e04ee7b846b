#pragma once

#include "gateway/core/json.hpp"
#include "gateway/store/held_rows.hpp"

#include <string>
#include <vector>

namespace gateway {

/// The rows of the store that a running service has open, asked of it (app/store_rows.hpp).
class ServiceRows final : public HeldRows {
public:
    /// `about`: the service's answer to `store`.
    ServiceRows(std::string socket, const json::object& about);

    const std::string& directory() const override { return directory_; }
    const std::vector<unsigned>& stores() const override { return stores_; }
    std::uint64_t size_bytes() const override { return size_bytes_; }
    void visit(const std::function<void(const HeldRow&)>& with) override;
    std::optional<std::vector<EpochHeads>> heads() const override { return std::nullopt; }

private:
    void note_books(const json::object& line);

    std::string socket_, directory_;
    std::vector<unsigned> stores_;
    std::uint64_t size_bytes_;
};

}  // namespace gateway
