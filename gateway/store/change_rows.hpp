#pragma once

#include "gateway/store/outbox_database.hpp"

namespace gateway {

template <typename Change>
auto Outbox::Database::change_rows(Change change)
{
    try {
        sqlite::Transaction transaction(connection_);
        auto result = change();
        free_received();
        books_.save();
        transaction.commit();
        freed_soon_.clear();
        return result;
    } catch (...) {
        recall();
        throw;
    }
}

}  // namespace gateway
