#include "performance/batch_server.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace spillway {

BatchServer::BatchServer(BatchTimes times, BatchLimits limits)
    : times_(std::move(times)), limits_(limits) {
  SPILLWAY_CHECK(limits.max_items > 0 && limits.instances > 0);
  SPILLWAY_CHECK(limits.max_delay >= absl::ZeroDuration());
  best_item_ = absl::ToDoubleSeconds(times_.Of(limits.max_items)) / limits.max_items;
}

BatchAdmission BatchServer::Add(const BatchRequest& request, absl::Time now) {
  if (request.items > limits_.max_items) return BatchAdmission::kNeverFits;
  if (waiting_.size() >= static_cast<std::size_t>(std::max(0, limits_.max_waiting))) {
    return BatchAdmission::kQueueFull;
  }
  waiting_.push_back({{request.id, std::max(1, request.items)}, now});
  counters_.waiting_items += waiting_.back().request.items;
  return BatchAdmission::kAdmitted;
}

void BatchServer::Cancel(std::uint64_t id) {
  const auto waits = std::find_if(waiting_.begin(), waiting_.end(),
                                  [id](const Waiting& w) { return w.request.id == id; });
  if (waits != waiting_.end()) {
    counters_.waiting_items -= waits->request.items;
    waiting_.erase(waits);
    return;
  }
  for (Batch& batch : running_) {
    const auto is_it = [id](const BatchOutput& o) { return o.id == id; };
    batch.answers.erase(std::remove_if(batch.answers.begin(), batch.answers.end(), is_it),
                        batch.answers.end());
  }
}

BatchServer::Next BatchServer::NextBatch() const {
  Next out;
  for (const Waiting& w : waiting_) {
    out.full = out.items + w.request.items > limits_.max_items;
    if (out.full) break;
    out.items += w.request.items;
    ++out.requests;
  }
  out.full |= out.items == limits_.max_items;
  return out;
}

absl::Time BatchServer::NextEvent(absl::Time now) {
  while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(limits_.instances)) {
    const Next next = NextBatch();
    const absl::Time latest = waiting_.front().since + limits_.max_delay;
    if (!next.full && now < latest) {
      return running_.empty() ? latest : std::min(latest, running_.front().end);
    }
    Begin(next, now);
  }
  return running_.empty() ? absl::InfiniteFuture() : running_.front().end;
}

void BatchServer::Begin(const Next& next, absl::Time now) {
  const absl::Duration time = times_.Of(next.items);
  Batch batch{.end = now + time, .pace = next.items * best_item_ / absl::ToDoubleSeconds(time)};
  if (!spare_.empty()) {
    batch.answers = std::move(spare_.back());
    spare_.pop_back();
  }
  for (std::size_t i = 0; i < next.requests; ++i) {
    const Waiting& first = waiting_.front();
    batch.answers.push_back({first.request.id, batch.end, now - first.since});
    waiting_.pop_front();
  }
  counters_.waiting_items -= next.items;
  counters_.items += next.items;
  ++counters_.batches;
  counters_.busy_time += time;
  // Behind those that end at the same instant.
  const auto place =
      std::upper_bound(running_.begin(), running_.end(), batch.end,
                       [](absl::Time end, const Batch& other) { return end < other.end; });
  running_.insert(place, std::move(batch));
}

void BatchServer::Advance(absl::Time now, std::vector<BatchOutput>& out) {
  std::size_t ended = 0;
  for (; ended < running_.size() && running_[ended].end <= now; ++ended) {
    std::vector<BatchOutput>& answers = running_[ended].answers;
    out.insert(out.end(), answers.begin(), answers.end());
    answers.clear();
    spare_.push_back(std::move(answers));
  }
  running_.erase(running_.begin(), running_.begin() + static_cast<std::ptrdiff_t>(ended));
}

double BatchServer::Utilization() const {
  double pace = 0;
  for (const Batch& batch : running_) pace += batch.pace;
  return std::min(pace / limits_.instances, 1.0);
}

BatchGauges BatchServer::gauges() const {
  BatchGauges out = counters_;
  out.waiting = static_cast<int>(waiting_.size());
  out.busy = static_cast<int>(running_.size());
  for (const Batch& batch : running_) out.running += static_cast<int>(batch.answers.size());
  return out;
}

}  // namespace spillway
