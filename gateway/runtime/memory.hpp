#pragma once

namespace gateway {

/// Gives back what is not needed all the time: freed heap, and the pages of code and constants that
/// are as they are in their files. What is used again comes back from the page cache, some pages at
/// a time. For when everything is up, and seldom after: it takes some milliseconds.
void give_back_memory();

}  // namespace gateway
