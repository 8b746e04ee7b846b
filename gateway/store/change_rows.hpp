#pragma once

#include "gateway/core/defect.hpp"
#include "gateway/store/durable_log.hpp"
#include "gateway/store/outbox_database.hpp"

namespace gateway {

template <typename Change>
auto Outbox::Database::change_rows(Change change)
{
    try {
        measure_disk();
        if (planted(Defect::head_outside_transaction)) {
            books_.save();  // of the change before
        }
        sqlite::Transaction transaction(connection_);
        auto result = change();
        free_received();
        if (!planted(Defect::head_outside_transaction)) {
            books_.save();
        }
        transaction.commit();
        tell_durable(result);
        freed_soon_.clear();
        return result;
    } catch (...) {
        recall();
        throw;
    }
}

}  // namespace gateway
