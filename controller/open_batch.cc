#include "controller/open_batch.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace spillway {

Published TakeJobs(const std::vector<Event>& events, const std::vector<std::size_t>& record_ends,
                   std::vector<Record>& records) {
  Published published;
  published.jobs.resize(records.size());
  struct Last {
    std::size_t row = 0;
    bool added = false;
  };
  absl::flat_hash_map<std::uint64_t, Last> last;  // looked up, never walked
  std::size_t begin = 0;
  for (std::size_t e = 0; e < events.size(); ++e) {
    const std::size_t end = record_ends[e];
    last.clear();
    for (std::size_t r = begin; r < end; ++r) {
      if (const auto* row = std::get_if<record::JobRow>(&records[r])) {
        Last& entry = last[Number(row->job.id)];
        entry.row = r;
        entry.added |= row->is_new;
      }
    }
    for (std::size_t r = begin; r < end && !last.empty(); ++r) {
      auto* row = std::get_if<record::JobRow>(&records[r]);
      if (row == nullptr) continue;
      const Last& entry = last[Number(row->job.id)];
      if (entry.row != r) continue;
      published.jobs[r] = std::make_shared<const Job>(std::move(row->job));
      published.changes.push_back({events[e].number, entry.added, published.jobs[r]});
    }
    begin = end;
  }
  return published;
}

}  // namespace spillway
