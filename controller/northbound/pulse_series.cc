#include <algorithm>

#include "absl/strings/str_format.h"
#include "controller/northbound/pool_load.h"
#include "controller/northbound/pulse.h"
#include "formats/api_json.h"

// The hour of figures that the pulse keeps.
namespace spillway {
namespace {

struct FigureText {
  std::string_view name, unit;
  bool is_money;
};
constexpr FigureText kFigures[] = {{"usd_per_hour", "USD/h", true},
                                   {"saved_usd_per_hour", "USD/h", true},
                                   {"jobs_per_second", "1/s", false},
                                   {"requests_per_second", "1/s", false},
                                   {"queue", "1", false},
                                   {"request_p95_s", "s", false},
                                   {"job_p95_s", "s", false},
                                   {"busy_ratio", "1", false}};

std::optional<double> Seconds(const TimeSpread& times) {
  const auto p95 = times.Quantile(0.95);
  if (!p95) return std::nullopt;
  return absl::ToDoubleSeconds(*p95);
}

constexpr double kStepSeconds = 10;

}  // namespace

void Pulse::Put(PoolId pool, Figure figure, std::int64_t step, std::optional<double> value) {
  series_[{pool, figure}].Put(step, value);
}

std::optional<double> Pulse::MoneyRate(Usd before, Usd after, const PulseView& view) const {
  if (step_books_ == nullptr || step_books_->since != view.books->since) return std::nullopt;
  const auto rate = RateBetween(before, after, view.books->at - step_books_->at);
  if (!rate) return std::nullopt;
  return static_cast<double>(rate->value()) / kNanosPerUsd;
}

// A step is closed by the first look after its end. Steps that were slept through have no values.
void Pulse::CloseSteps(const PulseView& view) {
  const std::int64_t step = Activity::StepOf(view.at) - 1;
  if (step <= closed_step_) return;
  closed_step_ = step;
  PutFleet(step, view);
  std::uint32_t kept = 0, dropped = 0;
  for (const PoolStatus& pool : view.snapshot->pools) {
    if (pool.removed) continue;
    if (++kept <= limits_.pools) {
      PutPool(step, pool, view);
    } else {
      ++dropped;
    }
  }
  dropped_pools_ = dropped;
  // Pools that left long ago make room.
  if (series_.size() > std::size_t{5} * 2 * limits_.pools + 16) {
    std::erase_if(series_, [&](const auto& entry) {
      const PoolStatus* pool = view.snapshot->Find(entry.first.pool);
      return pool != nullptr && pool->removed;
    });
  }
  step_books_ = view.books;
}

void Pulse::PutFleet(std::int64_t step, const PulseView& view) {
  static const Activity::Step kNone;
  const Activity::Step* found = activity_.Find(step);
  const Activity::Step& ended = found != nullptr ? *found : kNone;
  const TenantBooks now = view.books->Sum(std::nullopt);
  const TenantBooks then = step_books_ != nullptr ? step_books_->Sum(std::nullopt) : TenantBooks();
  const auto bill = [](const TenantBooks& t, Usd idle) { return t.cost + t.overhead + idle; };
  const Usd idle_then = step_books_ != nullptr ? step_books_->idle : Usd();
  Put(kNoPool, Figure::kUsdPerHour, step,
      MoneyRate(bill(then, idle_then), bill(now, view.books->idle), view));
  Put(kNoPool, Figure::kSavedUsdPerHour, step,
      MoneyRate(then.baseline - then.compared, now.baseline - now.compared, view));
  Put(kNoPool, Figure::kJobsPerSecond, step, static_cast<double>(ended.jobs) / kStepSeconds);
  Put(kNoPool, Figure::kRequestsPerSecond, step,
      static_cast<double>(ended.requests) / kStepSeconds);
  Put(kNoPool, Figure::kQueue, step,
      static_cast<double>(view.snapshot->queue.depth) + static_cast<double>(view.requests_waiting));
  Put(kNoPool, Figure::kRequestP95, step, Seconds(ended.request));
  Put(kNoPool, Figure::kJobP95, step, Seconds(ended.job));
}

void Pulse::PutPool(std::int64_t step, const PoolStatus& pool, const PulseView& view) {
  const Activity::Step* ended = activity_.Find(step);
  const bool has_counts = ended != nullptr && Index(pool.id) < ended->pools.size();
  const Activity::PoolCounts counts =
      has_counts ? ended->pools[Index(pool.id)] : Activity::PoolCounts();
  const Usd then = step_books_ != nullptr ? step_books_->BillOf(pool.id) : Usd();
  Put(pool.id, Figure::kUsdPerHour, step, MoneyRate(then, view.books->BillOf(pool.id), view));
  Put(pool.id, Figure::kJobsPerSecond, step, counts.jobs / kStepSeconds);
  Put(pool.id, Figure::kRequestsPerSecond, step, counts.requests / kStepSeconds);
  Put(pool.id, Figure::kQueue, step, pool.awaited_by);
  Put(pool.id, Figure::kBusy, step, BusyRatio(pool));
}

std::string Pulse::SeriesBody(absl::Duration window, bool with_money) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t steps =
      std::clamp<std::int64_t>(window / Activity::kStep, 1, SeriesRing::kSteps);
  const std::int64_t first = closed_step_ - steps + 1;
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Key("start");
  WriteApiTime(w, absl::FromUnixSeconds(first * 10));
  w.Member("step_s", 10).Member("dropped_pools", dropped_pools_).Key("series").BeginArray();
  for (const auto& [key, ring] : series_) {
    const FigureText& text = kFigures[static_cast<std::size_t>(key.figure)];
    if (text.is_money && !with_money) continue;
    w.BeginObject().Member("name", text.name);
    if (key.pool == kNoPool) {
      w.NullMember("pool");
    } else {
      const PoolStatus* pool = view_ != nullptr ? view_->snapshot->Find(key.pool) : nullptr;
      w.Member("pool", pool != nullptr ? std::string_view(pool->spec->name) : "?");
    }
    w.Member("unit", text.unit).Key("values").BeginArray();
    for (std::int64_t step = first; step <= closed_step_; ++step) {
      const auto value = ring.At(step);
      if (value) {
        w.Raw(absl::StrFormat("%.6g", *value));
      } else {
        w.Null();
      }
    }
    w.EndArray().EndObject();
  }
  w.EndArray().EndObject();
  return body;
}

}  // namespace spillway
