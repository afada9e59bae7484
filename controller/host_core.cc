#include "controller/host_core.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/status.h"

namespace spillway {
namespace {

// How long the control thread sleeps at most: a clock that jumps forward fires timers this late.
constexpr absl::Duration kLongestSleep = absl::Seconds(10);
// How often the store is looked after when nothing is committed.
constexpr absl::Duration kTidyPeriod = absl::Minutes(1);
// How soon the brain's timer may fire again if firing it did not move it.
constexpr absl::Duration kTimerRest = absl::Milliseconds(10);

// Time that passes, whatever clock the host was given: for measuring and for pacing.
absl::Duration Uptime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// Ends the process. Trying again may lie: after a failed fsync nobody knows what the disk holds.
// The next start goes on from the log.
[[noreturn]] void Die(const char* what, const absl::Status& why) {
  std::fprintf(stderr, "store: %s, ending: %s\n", what, std::string(why.message()).c_str());
  std::abort();
}

}  // namespace

// --- Inputs -------------------------------------------------------------------------------------

Host::Impl::Taken Host::Impl::PushSubmission(Waiting& waiting) {
  const std::lock_guard lock(mutex_);
  if (!running_ || stopping_) return Taken::kStopping;
  if (waiting_ >= options_.waiting_submissions) return Taken::kFull;
  ++waiting_;
  if (inbox_.empty()) {
    inbox_since_ = Uptime();
    control_wake_.notify_one();
  }
  inbox_.emplace_back(std::move(waiting));
  return Taken::kYes;
}

bool Host::Impl::Push(Input input) {
  const std::lock_guard lock(mutex_);
  if (control_done_) return false;
  if (inbox_.empty()) {
    inbox_since_ = Uptime();
    control_wake_.notify_one();
  }
  inbox_.push_back(std::move(input));
  return true;
}

void Host::Impl::PushEnded(Ended ended) {
  {
    std::unique_lock lock(mutex_);
    place_wake_.wait(lock, [this] { return control_done_ || chunks_ < options_.waiting_chunks; });
    ++chunks_;
  }
  Push(std::move(ended));
}

HostStats Host::Impl::stats() const {
  HostStats stats{.open_events = open_events_.load(std::memory_order_relaxed),
                  .refused_submissions = refused_.load(std::memory_order_relaxed),
                  .keys_in_flight = keys_.size()};
  const std::lock_guard lock(mutex_);
  stats.waiting_submissions = waiting_;
  stats.waiting_inputs = inbox_.size() - waiting_;
  return stats;
}

// --- The control thread -------------------------------------------------------------------------

void Host::Impl::ControlLoop() {
  std::vector<Input> taken;
  while (TakeInputs(taken)) {
    HandleInputs(taken);
    taken.clear();
    LookAround();
  }
}

// Hands over what was folded as soon as the store thread has room for it, and sleeps until there is
// something to do. False: all is done, and the host stops.
bool Host::Impl::TakeInputs(std::vector<Input>& taken) {
  absl::Duration sleep = SleepFor();
  std::unique_lock lock(mutex_);
  for (;;) {
    HandOff();
    if (!inbox_.empty()) {
      taken.swap(inbox_);
      waiting_ = 0;
      if (std::exchange(chunks_, 0) >= options_.waiting_chunks) place_wake_.notify_all();
      observer_.OnLoopLag(Uptime() - inbox_since_);
      return true;
    }
    const bool idle = open_->empty() && !handed_ && !committing_;
    if (stopping_ && adapters_stopped_ && idle) {
      control_done_ = true;
      store_wake_.notify_one();
      place_wake_.notify_all();
      return false;
    }
    if (sleep <= absl::ZeroDuration()) return true;
    control_wake_.wait_for(lock, absl::ToChronoNanoseconds(NapFor(sleep)));
    sleep = SleepFor();
  }
}

void Host::Impl::HandOff() {
  if (handed_ || open_->empty()) return;
  if (!stopping_ && Uptime() < open_->rests_until) return;
  handed_ = std::exchange(open_, std::make_unique<OpenBatch>());
  store_wake_.notify_one();
}

// Keeps transactions bounded: while the store thread has one batch in hand and one waiting, a full
// third one holds the control thread back.
void Host::Impl::WaitForRoom() {
  if (snapshot_now_) TakeSnapshot();
  open_->Hurry();
  std::unique_lock lock(mutex_);
  while (handed_) control_wake_.wait(lock);
  HandOff();
}

absl::Duration Host::Impl::SleepFor() const {
  const absl::Duration uptime = Uptime();
  absl::Duration sleep = std::min(kLongestSleep, brain_.NextTimer() - clock_.Now());
  sleep = std::max(sleep, timer_rests_until_ - uptime);
  if (dirty_) sleep = std::min(sleep, last_snapshot_ + options_.snapshot_period - uptime);
  return sleep;
}

// A batch that rests is handed over in time, unless the one before is still in the way.
absl::Duration Host::Impl::NapFor(absl::Duration sleep) const {
  if (handed_ || open_->empty()) return sleep;
  return std::clamp(open_->rests_until - Uptime(), absl::ZeroDuration(), sleep);
}

void Host::Impl::HandleInputs(std::vector<Input>& taken) {
  for (Input& input : taken) {
    if (auto* waiting = std::get_if<Waiting>(&input)) {
      Handle(*waiting);
    } else if (auto* body = std::get_if<event::Body>(&input)) {
      Fold(std::move(*body));
    } else if (auto* ended = std::get_if<Ended>(&input)) {
      Handle(*ended);
    } else {
      std::get<Task>(input)();
    }
    if (open_->events.size() >= options_.batch_events) WaitForRoom();
  }
}

// What is due by itself: the brain's timer, and a snapshot for readers.
void Host::Impl::LookAround() {
  if (brain_.NextTimer() <= clock_.Now() && Uptime() >= timer_rests_until_) FireTimer();
  if (!dirty_) return;
  if (snapshot_now_ || Uptime() - last_snapshot_ >= options_.snapshot_period) TakeSnapshot();
}

void Host::Impl::TakeSnapshot() {
  open_->snapshot = MakeSnapshot();
  last_snapshot_ = Uptime();
  dirty_ = snapshot_now_ = false;
}

void Host::Impl::FireTimer() {
  Fold(event::TimerFired{});
  if (brain_.NextTimer() <= last_at_) timer_rests_until_ = Uptime() + kTimerRest;
}

Reply Host::Impl::FoldCalmly(event::Body body) {
  last_event_ = EventNumber{Number(last_event_) + 1};
  last_at_ = std::max(last_at_, clock_.Now());
  const std::size_t first = open_->effects.records.size();
  open_->events.push_back({last_event_, last_at_, std::move(body)});
  Reply reply = brain_.Handle(open_->events.back(), open_->effects);
  open_->record_ends.push_back(open_->effects.records.size());
  LearnPools(open_->effects.records, first);
  open_events_.fetch_add(1, std::memory_order_relaxed);
  dirty_ = true;
  return reply;
}

void Host::Impl::Handle(Ended& ended) {
  if (ended.hurry) {
    open_->Hurry();
  } else if (open_->events.empty() && open_->others.empty()) {
    open_->rests_until = Uptime() + options_.rest;
  }
  FoldCalmly(std::move(ended.event));
  if (!ended.packed) return;
  // Whoever answers takes their memory again while it is near.
  std::get<event::RequestsEnded>(open_->events.back().body).requests.clear();
  ended.packed->event = last_event_;
  open_->packed.push_back(*std::move(ended.packed));
}

void Host::Impl::Operate(event::Body body, Done<absl::Status> done) {
  Reply reply = Fold(std::move(body));
  WantSnapshot();
  AfterCommit([done = std::move(done), status = std::move(reply.status)]() mutable {
    done(std::move(status));
  });
}

void Host::Impl::Handle(Waiting& waiting) {
  const absl::Duration begun = Uptime();
  const std::size_t first = open_->effects.records.size();
  const std::shared_ptr<const Work> work = waiting.submission.work;
  Reply reply = Fold(event::Submitted{work});
  observer_.OnDecided(Uptime() - begun);

  Submitter submitter{.done = std::move(waiting.done)};
  SubmitAnswer& answer = submitter.answer;
  answer.decision = std::move(reply.decision);
  answer.status = std::move(reply.status);
  if (answer.status.ok()) {
    answer.admission = Admission::kAccepted;
    const std::vector<Record>& records = open_->effects.records;
    for (std::size_t r = records.size(); r > first && submitter.job_row == Submitter::kNone; --r) {
      const auto* row = std::get_if<record::JobRow>(&records[r - 1]);
      if (row != nullptr && row->job.id == reply.job) submitter.job_row = r - 1;
    }
    SPILLWAY_CHECK(submitter.job_row != Submitter::kNone);
  } else if (answer.decision) {
    answer.admission =
        absl::IsResourceExhausted(answer.status) ? Admission::kOverBudget : Admission::kImpossible;
  }
  if (waiting.submission.key) {
    submitter.key.emplace(work->tenant, waiting.submission.key->key);
    // A budget begins anew within a day or a month: the same key may be answered otherwise then.
    if (answer.admission == Admission::kAccepted || answer.admission == Admission::kImpossible) {
      // Only borrowed while the answer is made: the row itself stays in the batch.
      if (submitter.job_row != Submitter::kNone) {
        const auto& row = std::get<record::JobRow>(open_->effects.records[submitter.job_row]);
        answer.job = std::shared_ptr<const Job>(std::shared_ptr<const Job>(), &row.job);
      }
      StoredAnswer stored = waiting.submission.render(answer);
      answer.job = nullptr;
      stored.tenant = work->tenant;
      stored.key = std::move(waiting.submission.key->key);
      stored.body_hash = waiting.submission.key->body_hash;
      stored.at = last_at_;
      submitter.stored = open_->answers.size();
      open_->answers.push_back(std::move(stored));
    }
  }
  open_->submitters.push_back(std::move(submitter));
}

std::shared_ptr<const Snapshot> Host::Impl::MakeSnapshot() const {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->version = last_event_;
  snapshot->at = last_at_;
  snapshot->pools = brain_.Pools();
  snapshot->queue = brain_.Queue();
  snapshot->policy_version = brain_.policy_version();
  snapshot->policy = brain_.policy();
  snapshot->config = brain_.config();
  snapshot->router = brain_.router_inputs();
  return snapshot;
}

// --- Adapters -----------------------------------------------------------------------------------

void Host::Impl::LearnPools(const std::vector<Record>& records, std::size_t from) {
  for (std::size_t r = from; r < records.size(); ++r) {
    if (const auto* row = std::get_if<record::PoolRow>(&records[r]))
      LearnPool(row->pool, *row->spec);
  }
}

void Host::Impl::LearnPool(PoolId id, const PoolSpec& spec) {
  if (Index(id) >= adapter_of_.size()) {
    adapter_of_.resize(Index(id) + 1);
    type_of_.resize(Index(id) + 1);
  }
  const auto found = adapters_.find(spec.adapter.type);
  adapter_of_[Index(id)] = found != adapters_.end() ? found->second.jobs : nullptr;
  type_of_[Index(id)] = spec.adapter.type;
  if (found != adapters_.end() && found->second.meet) found->second.meet(id, spec);
}

void Host::Impl::RunCommands(std::vector<Command>& commands) {
  if (adapters_stopped_) return;  // the next start finds them in the records
  for (const Command& command : commands) std::visit([this](const auto& c) { Run(c); }, command);
}

void Host::Impl::Run(const command::Launch& launch) {
  if (JobAdapter* adapter = AdapterOf(launch.pool)) {
    const absl::Duration begun = Uptime();
    adapter->Launch(launch);
    return observer_.OnAdapterCall(TypeOf(launch.pool), "launch", absl::StatusCode::kOk,
                                   Uptime() - begun);
  }
  observer_.OnAdapterCall(TypeOf(launch.pool), "launch", absl::StatusCode::kNotFound,
                          absl::InfiniteDuration());
  sink_.Post(event::AttemptEnded{
      .key = launch.key,
      .fault = Fault::kInfrastructure,
      .message = absl::StrCat("no adapter of type ", TypeOf(launch.pool), " runs here")});
}

void Host::Impl::Run(const command::Cancel& cancel) {
  JobAdapter* adapter = AdapterOf(cancel.pool);
  const absl::Duration begun = Uptime();
  if (adapter != nullptr) adapter->Cancel(cancel);
  observer_.OnAdapterCall(TypeOf(cancel.pool), "cancel",
                          adapter ? absl::StatusCode::kOk : absl::StatusCode::kNotFound,
                          Uptime() - begun);
}

absl::Status Host::Impl::StartAdapters(const std::vector<Job>& jobs, std::uint64_t epoch) {
  std::map<JobAdapter*, std::vector<AttemptKey>> known;
  for (const Job& job : jobs) {
    for (const Attempt& attempt : job.attempts) {
      if (attempt.state == AttemptState::kEnded) continue;
      const AttemptKey key{job.id, attempt.number};
      if (JobAdapter* adapter = AdapterOf(attempt.pool)) {
        known[adapter].push_back(key);
      } else {
        sink_.Post(event::AttemptEnded{
            .key = key,
            .fault = Fault::kInfrastructure,
            .message = absl::StrCat("no adapter of type ", TypeOf(attempt.pool), " runs here")});
      }
    }
  }
  std::vector<JobAdapter*> started;
  for (const auto& [type, adapter] : adapters_) {
    if (adapter.jobs == nullptr) continue;
    const absl::Duration begun = Uptime();
    const absl::Status status = adapter.jobs->Start(epoch, known[adapter.jobs]);
    observer_.OnAdapterCall(type, "start", status.code(), Uptime() - begun);
    if (status.ok()) {
      started.push_back(adapter.jobs);
      continue;
    }
    for (JobAdapter* other : started) other->Stop();  // what they would tell, nobody hears
    return Annotate(status, absl::StrCat("start of adapter ", type));
  }
  return absl::OkStatus();
}

// --- Start and stop -----------------------------------------------------------------------------

absl::Status Host::Impl::Start(std::shared_ptr<const Config> config, Adapters adapters) {
  adapters_ = std::move(adapters);
  {
    const std::lock_guard lock(mutex_);
    SPILLWAY_CHECK(!running_ && !stopping_);
  }
  SPILLWAY_ASSIGN_OR_RETURN(Remembered remembered, journal_.Recall());
  const std::uint64_t epoch = remembered.counters.epoch + 1;
  epoch_.store(epoch, std::memory_order_relaxed);
  const std::vector<Job> jobs = remembered.jobs;
  last_event_ = remembered.counters.last_event;
  if (Number(last_event_) != 0) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::vector<Event> last, journal_.Events(last_event_, 1));
    if (last.empty())
      return absl::DataLossError(absl::StrCat("event ", Number(last_event_), " is not in the log"));
    last_at_ = last.front().at;
  }
  for (const record::PoolRow& pool : remembered.pools) LearnPool(pool.pool, *pool.spec);
  SPILLWAY_RETURN_IF_ERROR(brain_.Restore(std::move(remembered)));

  const Reply reply = Fold(event::Started{epoch, std::move(config)});
  SPILLWAY_RETURN_IF_ERROR(reply.status);
  std::vector<Command> commands = std::move(open_->effects.commands);
  Batch batch{.events = std::move(open_->events),
              .packed = {},
              .records = std::move(open_->effects.records),
              .answers = {}};
  SPILLWAY_RETURN_IF_ERROR(Annotate(journal_.Commit(batch), "commit of the new epoch"));
  observer_.OnCommitted(batch, absl::ZeroDuration());
  open_ = std::make_unique<OpenBatch>();
  open_events_ = 0;
  feed_.StartAt(last_event_);
  Publish(MakeSnapshot());
  dirty_ = false;

  SPILLWAY_RETURN_IF_ERROR(StartAdapters(jobs, epoch));
  RunCommands(commands);
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  control_ = std::thread([this] { ControlLoop(); });
  store_ = std::thread([this] { StoreLoop(); });
  return absl::OkStatus();
}

void Host::Impl::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) control_done_ = true;  // never started: nothing is taken from now on
    if (!running_ || stopping_) return;
    stopping_ = true;
  }
  Push(Task([this] {
    for (const auto& [type, adapter] : adapters_) {
      if (adapter.jobs != nullptr) adapter.jobs->Stop();
    }
    adapters_stopped_ = true;
  }));
  control_.join();
  store_.join();
}

// --- The store thread ---------------------------------------------------------------------------

void Host::Impl::StoreLoop() {
  for (;;) {
    std::unique_ptr<OpenBatch> open;
    {
      std::unique_lock lock(mutex_);
      store_wake_.wait_for(lock, absl::ToChronoNanoseconds(kTidyPeriod),
                           [this] { return handed_ != nullptr || control_done_; });
      if (!handed_ && control_done_) return;
      open = std::move(handed_);  // null: nothing came, but the store is looked after
      committing_ = true;
      control_wake_.notify_one();  // there is room for the next
    }
    if (open) Commit(*open);
    Tidy();
    const std::lock_guard lock(mutex_);
    committing_ = false;
    if (stopping_) control_wake_.notify_one();
  }
}

void Host::Impl::Tidy() {
  if (const absl::Status tidied = journal_.Tidy(clock_.Now()); !tidied.ok())
    Die("the store cannot be kept in order", tidied);
}

void Host::Impl::Commit(OpenBatch& open) {
  Batch batch{.events = std::move(open.events),
              .packed = std::move(open.packed),
              .records = std::move(open.effects.records),
              .answers = std::move(open.answers)};
  if (!batch.events.empty()) {
    const absl::Duration begun = Uptime();
    const absl::Status committed = journal_.Commit(batch);
    if (!committed.ok()) Die("a batch cannot be committed", committed);
    observer_.OnCommitted(batch, Uptime() - begun);
    open_events_.fetch_sub(batch.events.size(), std::memory_order_relaxed);
  }
  LetOut(open, batch);
}

void Host::Impl::LetOut(OpenBatch& open, Batch& batch) {
  Published published = TakeJobs(batch.events, open.record_ends, batch.records);
  if (open.snapshot) Publish(std::move(open.snapshot));
  if (!batch.events.empty())
    feed_.Publish(std::move(published.changes), batch.events.back().number);
  for (Submitter& submitter : open.submitters) {
    if (submitter.job_row != Submitter::kNone)
      submitter.answer.job = published.jobs[submitter.job_row];
    if (submitter.stored != Submitter::kNone)
      submitter.answer.stored = std::move(batch.answers[submitter.stored]);
    if (submitter.key) keys_.Release(*submitter.key);
    submitter.done(std::move(submitter.answer));
  }
  for (Task& answer : open.others) answer();
  if (!open.effects.commands.empty()) {
    Push(Task(
        [this, commands = std::move(open.effects.commands)]() mutable { RunCommands(commands); }));
  }
}

void Host::Impl::Publish(std::shared_ptr<const Snapshot> snapshot) {
  queued_.store(snapshot->queue.depth, std::memory_order_relaxed);
  if (options_.on_snapshot) options_.on_snapshot(*snapshot);
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(snapshot);
}

}  // namespace spillway
