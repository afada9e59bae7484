#include "scheduler/releases.h"

#include <algorithm>

#include "core/check.h"

namespace spillway {

void Releases::Add(const Running& running, absl::Time end) {
  const std::int64_t t = absl::ToUnixNanos(end);
  ends_.emplace(Order{t, running.key}, &running);
  busy_ += running.micro_nodes;
  busy_ends_ += absl::int128(running.micro_nodes) * t;
}

void Releases::Remove(AttemptKey key, absl::Time end) {
  const std::int64_t t = absl::ToUnixNanos(end);
  const auto found = ends_.find(Order{t, key});
  SPILLWAY_CHECK(found != ends_.end());
  busy_ -= found->second->micro_nodes;
  busy_ends_ -= absl::int128(found->second->micro_nodes) * t;
  ends_.erase(found);
}

absl::Time Releases::Ready(absl::Time now, std::int64_t capacity, std::int64_t need,
                           absl::int128 ahead) const {
  const std::int64_t start = absl::ToUnixNanos(now);
  // free x (t - now) + sum of micro_nodes x (t - end) = ahead, all releases taken as past.
  const auto closed_form = [&] {
    const absl::int128 whole =
        absl::int128(std::max<std::int64_t>(capacity - busy_, 0)) * start + busy_ends_ + ahead;
    const absl::int128 all = std::max<std::int64_t>(std::max(capacity, busy_), 1);
    return static_cast<std::int64_t>(whole / all);
  };
  // Behind a long queue they are past indeed: no walk.
  if (ahead > 0 && ends_.size() > 16) {
    const std::int64_t t = closed_form();
    const std::int64_t last =
        std::max(ends_.rbegin()->first.first, 2 * start - ends_.begin()->first.first);
    if (t >= last) return absl::FromUnixNanos(t);
  }
  std::int64_t free = std::max<std::int64_t>(capacity - busy_, 0);
  std::int64_t t = start;
  absl::int128 left = ahead;
  bool done = left <= 0 && free >= need;
  int walked = 0;
  Walk(now, [&](AttemptKey, std::int64_t micro_nodes, const Running&, std::int64_t when) {
    if (done) return false;
    ++walked;
    const std::int64_t gap = when - t;
    if (free > 0 && left > 0 && left <= absl::int128(free) * gap) {
      t += static_cast<std::int64_t>((left + free - 1) / free);
      left = 0;
      if (free >= need) {
        done = true;
        return false;
      }
    }
    if (left > 0) left -= absl::int128(free) * (when - t);
    t = std::max(t, when);
    free += micro_nodes;
    done = left <= 0 && free >= need;
    return !done;
  });
  if (done) return absl::FromUnixNanos(t);
  if (walked < static_cast<int>(ends_.size())) {
    return absl::FromUnixNanos(std::max(t, closed_form()));
  }
  if (free <= 0) return absl::InfiniteFuture();
  return absl::FromUnixNanos(
      t + static_cast<std::int64_t>((std::max<absl::int128>(left, 0) + free - 1) / free));
}

}  // namespace spillway
