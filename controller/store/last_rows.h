#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "core/record.h"

namespace spillway::store {

// The records of one batch that count: of several rows with one key only the last is written. A
// batch of many events holds the same counters, books and jobs many times over.
struct LastRow {
  std::size_t index = 0;  // into the records
  bool is_new = false;    // jobs: one of the rows with this key was new
};
// In the order of the records, so that a commit writes the same things in the same order always.
std::vector<LastRow> LastRows(absl::Span<const Record> records);

}  // namespace spillway::store
