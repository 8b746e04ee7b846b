#pragma once

namespace gateway {

/// Gives back what only the start needed: freed heap, and the pages of code that are mapped and not
/// run again. Code that runs again comes back from the page cache, a page at a time. Call it once,
/// when everything is up.
void give_back_memory();

}  // namespace gateway
