#pragma once

#include "gateway/metrics/page.hpp"

namespace gateway {

/// Adds what Prometheus expects of every process: CPU, memory, start time, open descriptors.
void add_process(MetricsPage& page);

}  // namespace gateway
