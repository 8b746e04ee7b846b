#pragma once

#include "gateway/admin/control.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"

#include <boost/asio/awaitable.hpp>

namespace gateway {

/// Answers `rows`: what the store holds, for who cannot open it while the service runs. Lines:
/// the books, a list of `number`, `lane`, `head` and `received`; each dictionary (`dictionary`,
/// `text`); each row (`number`, `first`, `message` in hex); the books as they are by then;
/// `end`. A row that is found damaged is declared lost, as when it is sent. Runs on the loop; the
/// store is asked in slices of about 256 KB, and commits go on between them.
boost::asio::awaitable<void> answer_rows(Worker& store, Outbox& outbox, Reply& reply);

}  // namespace gateway
