#include "scheduler/releases.h"

#include <algorithm>

#include "core/check.h"

namespace spillway {

Releases::Held Releases::HeldBy(const Running& running, std::int64_t end) {
  return {running.micro_nodes, absl::int128(running.micro_nodes) * end};
}

void Releases::Add(const Running& running, absl::Time end) {
  const Order order{absl::ToUnixNanos(end), running.key};
  ends_.emplace(order, &running);
  sums_.Add(order, HeldBy(running, order.first), Number(running.key.job));
}

void Releases::Remove(AttemptKey key, absl::Time end) {
  const Order order{absl::ToUnixNanos(end), key};
  SPILLWAY_CHECK(ends_.erase(order) == 1);
  sums_.Remove(order);
}

absl::Time Releases::Ready(absl::Time now, std::int64_t capacity, std::int64_t need,
                           absl::int128 ahead) const {
  const std::int64_t start = absl::ToUnixNanos(now);
  const std::int64_t free = std::max<std::int64_t>(capacity - busy(), 0);
  // What is overdue, as one: due when its weighted mean is expected to be.
  const Held overdue = sums_.Before({start, AttemptKey{}});
  const std::int64_t overdue_at =
      overdue.micro == 0
          ? start
          : static_cast<std::int64_t>(absl::int128(2) * start - overdue.micro_ends / overdue.micro);

  struct At {
    std::int64_t capacity;  // free at that instant
    absl::int128 served;    // capacity x time since `start`
  };
  // `with`: what has ended by then, the overdue included.
  const auto at = [&](std::int64_t t, const Held& with) {
    At answer{free, absl::int128(free) * (t - start)};
    const std::int64_t micro = with.micro - overdue.micro;
    answer.capacity += micro;
    answer.served += absl::int128(micro) * t - (with.micro_ends - overdue.micro_ends);
    if (overdue.micro > 0 && t >= overdue_at) {
      answer.capacity += overdue.micro;
      answer.served += absl::int128(overdue.micro) * (t - overdue_at);
    }
    return answer;
  };
  const auto enough = [&](const At& a) { return a.capacity >= need && a.served >= ahead; };
  const auto found = sums_.FindFirst([&](const Order& order, const Held& with) {
    return order.first >= start && enough(at(order.first, with));
  });
  const Held ended = found.before.micro < overdue.micro ? overdue : found.before;
  // The last instant before which something changed, and the first at which it is certainly enough.
  std::int64_t from = found.previous ? std::max(start, found.previous->first) : start;
  std::optional<std::int64_t> until = found.key ? std::optional(found.key->first) : std::nullopt;
  if (overdue.micro > 0 && overdue_at > from && (!until || overdue_at < *until)) {
    (enough(at(overdue_at, ended)) ? until.emplace(overdue_at) : from) = overdue_at;
  }
  const At then = at(from, ended);
  if (enough(then)) return absl::FromUnixNanos(from);
  if (then.capacity < need || then.capacity <= 0)
    return until ? absl::FromUnixNanos(*until) : absl::InfiniteFuture();
  const absl::int128 left = ahead - then.served;
  const std::int64_t t =
      from + static_cast<std::int64_t>((left + then.capacity - 1) / then.capacity);
  return absl::FromUnixNanos(until ? std::min(t, *until) : t);
}

}  // namespace spillway
