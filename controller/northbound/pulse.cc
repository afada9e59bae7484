#include "controller/northbound/pulse.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "scheduler/budgets.h"

namespace spillway {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
constexpr absl::Duration kLately = absl::Seconds(290);  // with the open step: five minutes
constexpr absl::Duration kHourSettles = absl::Seconds(30);
constexpr int kMostFallen = 5;
constexpr absl::Duration kHostPatience = absl::Seconds(5);

absl::Time Steady() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

Usd BillOf(const DayBooks& books) {
  const TenantBooks sum = books.Sum(std::nullopt);
  return sum.cost + sum.overhead + books.idle;
}

// The jobs that a batch ended, each once, and the work of all that it names.
struct JobsOfBatch {
  std::map<JobId, const Job*> jobs;
  std::map<EventNumber, std::shared_ptr<const Work>> submitted;

  explicit JobsOfBatch(const Batch& batch) {
    for (const Record& record : batch.records) {
      if (const auto* row = std::get_if<record::JobRow>(&record)) jobs[row->job.id] = &row->job;
    }
    for (const Event& event : batch.events) {
      if (const auto* s = std::get_if<event::Submitted>(&event.body))
        submitted[event.number] = s->work;
    }
  }
  std::shared_ptr<const Work> WorkOf(const Decision& decision) const {
    if (const auto job = jobs.find(decision.work); job != jobs.end()) return job->second->work;
    const auto refused = submitted.find(decision.event);
    return refused != submitted.end() ? refused->second : nullptr;
  }
};

}  // namespace

Pulse::~Pulse() { Stop(); }

void Pulse::Attach(Host& host, Dispatcher& dispatcher) {
  host_ = &host;
  dispatcher_ = &dispatcher;
  {
    const std::lock_guard lock(mutex_);
    closed_step_ = Activity::StepOf(host.clock().Now()) - 1;
  }
  thread_ = std::thread([this] { Run(); });
}

void Pulse::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Pulse::OnCommitted(const Batch& batch, absl::Duration) {
  const JobsOfBatch names(batch);
  const std::lock_guard lock(mutex_);
  for (const auto& [id, job] : names.jobs) {
    if (!IsTerminal(job->state) || !job->finished_at) continue;
    const PoolId pool = job->attempts.empty() ? kNoPool : job->attempts.back().pool;
    activity_.JobEnded(*job->finished_at, pool, *job->finished_at - job->created_at);
  }
  for (const Record& record : batch.records) {
    const auto* row = std::get_if<record::DecisionRow>(&record);
    if (row == nullptr) continue;
    Tell({.number = 0,
          .decision = row->decision,
          .work = names.WorkOf(*row->decision),
          .request = nullptr});
  }
}

void Pulse::OnEnded(const event::RequestsEnded& ended) {
  const std::lock_guard lock(mutex_);
  for (const auto& request : ended.requests) activity_.RequestEnded(request->ended, *request);
  const std::size_t told = std::min(ended.requests.size(), limits_.tales_of_a_batch);
  told_ += ended.requests.size() - told;
  for (auto at = ended.requests.end() - static_cast<std::ptrdiff_t>(told);
       at != ended.requests.end(); ++at)
    Tell({.number = 0, .decision = nullptr, .work = nullptr, .request = *at});
}

void Pulse::Tell(Tale tale) {
  tale.number = ++told_;
  if (tale.decision != nullptr) job_tales_.push_back(tale);
  if (job_tales_.size() > limits_.job_tales) job_tales_.pop_front();
  tales_.push_back(std::move(tale));
  if (tales_.size() > limits_.tales) tales_.pop_front();
}

Pulse::View Pulse::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void Pulse::Fresh(absl::AnyInvocable<void(View)> done) {
  View now;
  {
    const std::lock_guard lock(mutex_);
    const bool old = view_ == nullptr || Steady() - looked_at_ >= limits_.fresh;
    if (old && thread_.joinable() && !stopping_) {
      asking_.push_back(std::move(done));
      wake_.notify_all();
      return;
    }
    now = view_;
  }
  done(std::move(now));
}

Pulse::Tales Pulse::After(std::uint64_t after, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Tales found;
  found.next = std::min(after, told_);
  std::uint64_t expected = found.next + 1;
  auto at = std::upper_bound(tales_.begin(), tales_.end(), after,
                             [](std::uint64_t n, const Tale& tale) { return n < tale.number; });
  for (; at != tales_.end() && found.tales.size() < limit; ++at) {
    found.missed += at->number - expected;
    expected = at->number + 1;
    found.next = at->number;
    found.tales.push_back(*at);
  }
  return found;
}

Pulse::Tales Pulse::Opening(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Tales found;
  found.next = told_;
  const auto first = tales_.end() - static_cast<std::ptrdiff_t>(std::min(limit, tales_.size()));
  for (const Tale& tale : job_tales_) {
    if (first != tales_.end() && tale.number >= first->number) break;
    found.tales.push_back(tale);
  }
  found.tales.insert(found.tales.end(), first, tales_.end());
  return found;
}

std::shared_ptr<void> Pulse::Join() {
  const std::lock_guard lock(mutex_);
  if (*readers_ >= limits_.readers) return nullptr;
  ++*readers_;
  wake_.notify_all();
  // A reader may go after the pulse did, and then nobody counts any more.
  return std::shared_ptr<void>(readers_.get(), [this, kept = std::weak_ptr(readers_)](void*) {
    if (const auto alive = kept.lock()) {
      const std::lock_guard held(mutex_);
      --*alive;
    }
  });
}

std::size_t Pulse::readers() const {
  const std::lock_guard lock(mutex_);
  return *readers_;
}

absl::Duration Pulse::UntilNextLook() const {
  if (!asking_.empty() || view_ == nullptr) return absl::ZeroDuration();
  const absl::Duration age = Steady() - looked_at_;
  if (*readers_ > 0) return absl::Seconds(1) - age;
  // The first instant of the next step.
  const absl::Time now = host_->clock().Now();
  const absl::Time next = absl::FromUnixSeconds((Activity::StepOf(now) + 1) * 10);
  return std::clamp(next - now, absl::Milliseconds(10), Activity::kStep);
}

void Pulse::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const absl::Duration wait = UntilNextLook();
    if (wait > absl::ZeroDuration()) {
      const std::size_t readers = *readers_;
      wake_.wait_for(lock, absl::ToChronoMilliseconds(wait) + std::chrono::milliseconds(1),
                     [&] { return stopping_ || !asking_.empty() || *readers_ != readers; });
      if (stopping_) break;
      if (UntilNextLook() > absl::ZeroDuration() && *readers_ != readers) continue;
    }
    auto asking = std::exchange(asking_, {});
    lock.unlock();
    Look();
    const View now = view();
    for (auto& done : asking) done(now);
    lock.lock();
  }
  auto asking = std::exchange(asking_, {});
  lock.unlock();
  for (auto& done : asking) done(nullptr);
}

// Nothing: the host did not answer.
std::optional<std::vector<record::LedgerRow>> Pulse::OpenRows() {
  using Rows = std::vector<record::LedgerRow>;
  struct Slot {
    std::mutex mutex;
    std::condition_variable come;
    std::optional<Rows> rows;
  };
  auto slot = std::make_shared<Slot>();
  host_->OpenLedger([slot](Rows rows) {
    const std::lock_guard lock(slot->mutex);
    slot->rows = std::move(rows);
    slot->come.notify_one();
  });
  std::unique_lock lock(slot->mutex);
  slot->come.wait_for(lock, absl::ToChronoMilliseconds(kHostPatience),
                      [&] { return slot->rows.has_value(); });
  return std::move(slot->rows);
}

// Null: ledger or host did not answer.
std::shared_ptr<const DayBooks> Pulse::ReadBooks(absl::Time now) {
  const auto rows = OpenRows();
  if (!rows) return nullptr;
  const absl::Time day = StartOf(BudgetPeriod::kDay, now);
  absl::Time open = absl::UniversalEpoch();  // of the hours that are still written
  for (const auto& row : *rows)
    open = open == absl::UniversalEpoch() ? row.hour : std::min(open, row.hour);
  const absl::Time until = std::max(
      day, rows->empty() ? absl::FromUnixSeconds(absl::ToUnixSeconds(now) / 3600 * 3600) : open);
  // The last rows of an hour are written a moment after its end.
  const bool settled = closed_read_at_ - closed_until_ > kHourSettles;
  if (closed_.since != day || closed_until_ != until || !settled) {
    DayBooks closed{.since = day, .at = until, .tenants = {}, .pools = {}};
    if (until > day) {
      const auto kept = host_->archive().Ledger({.from = day, .until = until});
      if (!kept.ok()) return nullptr;
      for (const auto& row : *kept) closed.Add(row);
    }
    closed_ = std::move(closed);
    closed_until_ = until;
    closed_read_at_ = now;
  }
  auto books = std::make_shared<DayBooks>(closed_);
  books->at = now;
  for (const auto& row : *rows) {
    if (row.hour >= day) books->Add(row);
  }
  return books;
}

void Pulse::Look() {
  const absl::Time now = host_->clock().Now();
  std::shared_ptr<const DayBooks> books = ReadBooks(now);
  const std::lock_guard lock(mutex_);
  looked_at_ = Steady();
  if (books == nullptr) return;
  // A bill only grows: less of it means that an hour has just ended and its last rows are on their
  // way to the archive. The view of before stands for that moment.
  const bool same_day = view_ != nullptr && view_->books->since == books->since;
  const bool less = same_day && BillOf(*books) < BillOf(*view_->books);
  fallen_ = less ? fallen_ + 1 : 0;
  if (less && fallen_ <= kMostFallen) return;
  view_ = MakeView(now, std::move(books));
  CloseSteps(*view_);
}

Pulse::View Pulse::MakeView(absl::Time now, std::shared_ptr<const DayBooks> books) {
  auto view = std::make_shared<PulseView>();
  view->number = view_ != nullptr ? view_->number + 1 : 1;
  view->at = now;
  view->snapshot = host_->snapshot();
  // Another day, or a clock that was set back: rates begin anew.
  if (!minute_.empty() && (minute_.back()->since != books->since || minute_.back()->at > now))
    minute_.clear();
  while (minute_.size() > 1 && now - minute_[1]->at >= kMinute) minute_.pop_front();
  if (!minute_.empty()) view->before = minute_.front();
  if (minute_.empty() || now - minute_.back()->at >= absl::Milliseconds(900))
    minute_.push_back(books);
  view->books = std::move(books);
  if (const auto router = dispatcher_->view()) {
    view->traffic.resize(view->snapshot->pools.size());
    for (const ViewEndpoint& endpoint : router->endpoints()) {
      if (Index(endpoint.key.pool) >= view->traffic.size()) continue;
      PoolTraffic& traffic = view->traffic[Index(endpoint.key.pool)];
      ++traffic.engines;
      if (endpoint.up && !endpoint.ejected) ++traffic.engines_up;
      traffic.in_flight += dispatcher_->InFlight(endpoint.key);
      traffic.room += endpoint.concurrency;
    }
  }
  const Dispatcher::Stats stats = dispatcher_->stats();
  view->requests_waiting = stats.waiting;
  view->requests_in_flight = stats.in_flight;
  const Activity::Step minute = activity_.Sum(now, kMinute);
  view->jobs_per_second = static_cast<double>(minute.jobs) / 60;
  view->requests_per_second = static_cast<double>(minute.requests) / 60;
  const Activity::Step lately = activity_.Sum(now, kLately);
  view->job_p95 = lately.job.Quantile(0.95);
  view->request_p95 = lately.request.Quantile(0.95);
  view->ttft_p95 = lately.first_token.Quantile(0.95);
  view->requests_lately = lately.requests;
  view->refused_lately = lately.refused;
  return view;
}

}  // namespace spillway
