#include "controller/host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/host_core.h"

namespace spillway {
namespace {

absl::Status Stopping() { return absl::UnavailableError("the controller is stopping"); }

// An answer that is given exactly once, even if the call that carries it is thrown away because the
// host stops.
template <class T>
class Once {
 public:
  Once(Host::Done<T> done, T otherwise)
      : done_(std::move(done)), otherwise_(std::move(otherwise)) {}
  Once(Once&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), otherwise_(std::move(other.otherwise_)) {}
  Once& operator=(Once&&) = delete;
  ~Once() {
    if (done_) done_(std::move(otherwise_));
  }
  void operator()(T answer) { std::exchange(done_, nullptr)(std::move(answer)); }

 private:
  Host::Done<T> done_;
  T otherwise_;
};

}  // namespace

// --- The calls ----------------------------------------------------------------------------------

Host::Host(HostOptions options, const Clock& clock, Brain& brain, Journal& journal,
           Archive& archive, Observer& observer)
    : impl_(std::make_unique<Impl>(std::move(options), clock, brain, journal, archive, observer,
                                   *this)) {}
Host::~Host() { Stop(); }

absl::Status Host::Start(std::shared_ptr<const Config> config, Adapters adapters) {
  return impl_->Start(std::move(config), std::move(adapters));
}
void Host::Stop() { impl_->Stop(); }

void Host::Post(event::Body happened) {
  if (auto* const ended = std::get_if<event::RequestsEnded>(&happened))
    return Book(std::move(*ended), /*hurry=*/true);
  impl_->Push(std::move(happened));
}
void Host::Book(event::RequestsEnded ended, bool hurry) {
  impl_->observer_.OnEnded(ended);
  event::Body happened(std::move(ended));
  std::optional<PackedRequests> packed = impl_->journal_.Pack(happened);
  impl_->PushEnded({std::move(happened), std::move(packed), hurry});
}
void Host::Tick() {
  impl_->Push(Impl::Task([] {}));
}

std::shared_ptr<const Snapshot> Host::snapshot() const { return impl_->snapshot(); }
JobFeed& Host::feed() { return impl_->feed_; }
const JobFeed& Host::feed() const { return impl_->feed_; }
Archive& Host::archive() { return impl_->archive_; }
const Clock& Host::clock() const { return impl_->clock_; }
bool Host::DrivenHere(const std::string& type) const { return impl_->adapters_.contains(type); }
HostStats Host::stats() const { return impl_->stats(); }
const HostOptions& Host::options() const { return impl_->options_; }
std::uint64_t Host::epoch() const { return impl_->epoch_.load(std::memory_order_relaxed); }

void Host::Submit(Submission submission, Done<SubmitAnswer> done) {
  const auto refuse = [&done](Admission admission, absl::Status status) {
    SubmitAnswer answer;
    answer.admission = admission;
    answer.status = std::move(status);
    done(std::move(answer));
  };
  std::optional<KeysInFlight::Key> key;
  if (submission.key) {
    key.emplace(submission.work->tenant, submission.key->key);
    if (!impl_->keys_.Take(*key))
      return refuse(Admission::kKeyBusy, absl::AbortedError("the first request with this "
                                                            "Idempotency-Key is still under way"));
    auto found = impl_->archive_.FindAnswer(key->first, key->second);
    if (!found.ok() || found->has_value()) {
      impl_->keys_.Release(*key);
      if (!found.ok()) return refuse(Admission::kFailed, found.status());
      if ((*found)->body_hash != submission.key->body_hash)
        return refuse(
            Admission::kKeyReused,
            absl::InvalidArgumentError("this Idempotency-Key was used with another body"));
      SubmitAnswer answer;
      answer.admission = Admission::kReplayed;
      answer.stored = *std::move(*found);
      return done(std::move(answer));
    }
  }
  Impl::Waiting waiting{std::move(submission), std::move(done)};
  const bool too_many =
      impl_->queued_.load(std::memory_order_relaxed) >= impl_->options_.queued_jobs;
  const Impl::Taken taken = too_many ? Impl::Taken::kFull : impl_->PushSubmission(waiting);
  if (taken == Impl::Taken::kYes) return;
  if (key) impl_->keys_.Release(*key);
  SubmitAnswer answer;
  if (taken == Impl::Taken::kFull) {
    impl_->refused_.fetch_add(1, std::memory_order_relaxed);
    answer.admission = Admission::kFull;
    answer.status = absl::ResourceExhaustedError(
        too_many ? absl::StrCat(impl_->options_.queued_jobs, " jobs wait already")
                 : absl::StrCat(impl_->options_.waiting_submissions, " submissions wait already"));
  } else {
    answer.status = Stopping();
  }
  waiting.done(std::move(answer));
}

void Host::Cancel(JobId job, Done<absl::Status> done) {
  Impl& impl = *impl_;
  impl.Push(
      Impl::Task([&impl, job, done = Once<absl::Status>(std::move(done), Stopping())]() mutable {
        Reply reply = impl.Fold(event::CancelRequested{job});
        impl.AfterCommit([done = std::move(done), status = std::move(reply.status)]() mutable {
          done(std::move(status));
        });
      }));
}

void Host::SetPoolState(PoolId pool, PoolState state, Done<absl::Status> done) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task(
      [&impl, pool, state, done = Once<absl::Status>(std::move(done), Stopping())]() mutable {
        impl.Operate(event::PoolStateSet{pool, state}, std::move(done));
      }));
}

void Host::SeeCarbon(event::CarbonSeen seen) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, seen = std::move(seen)]() mutable {
    impl.Operate(std::move(seen), [](const absl::Status&) {});
  }));
}

void Host::PricePool(PoolId pool, Price price, std::optional<std::string> expected,
                     Done<absl::Status> done) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, pool, price = std::move(price), expected = std::move(expected),
                        done = Once<absl::Status>(std::move(done), Stopping())]() mutable {
    if (expected) {
      const std::vector<PoolStatus> pools = impl.brain_.Pools();
      if (Index(pool) < pools.size() && PriceVersion(pools[Index(pool)].price) != *expected)
        return done(absl::AbortedError("the price has changed in the meantime"));
    }
    impl.Operate(event::PoolPriced{pool, std::move(price)}, std::move(done));
  }));
}

void Host::AddPool(std::shared_ptr<const PoolSpec> pool, Done<absl::Status> done) {
  if (!DrivenHere(pool->adapter.type)) {
    return done(absl::InvalidArgumentError(
        absl::StrCat("no adapter of type ", pool->adapter.type, " runs here")));
  }
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, pool = std::move(pool),
                        done = Once<absl::Status>(std::move(done), Stopping())]() mutable {
    impl.Operate(event::PoolAdded{std::move(pool)}, std::move(done));
  }));
}

void Host::SetPolicy(std::shared_ptr<const PolicySpec> policy,
                     std::optional<std::uint64_t> expected, Done<PolicyAnswer> done) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, policy = std::move(policy), expected,
                        done = Once<PolicyAnswer>(std::move(done), {Stopping(), 0})]() mutable {
    const std::uint64_t version = impl.brain_.policy_version();
    if (expected && *expected != version) {
      return done({absl::AbortedError(
                       absl::StrCat("the policy is at version ", version, ", not at ", *expected)),
                   version});
    }
    Reply reply = impl.Fold(event::PolicySet{std::move(policy)});
    impl.WantSnapshot();
    PolicyAnswer answer{std::move(reply.status), impl.brain_.policy_version()};
    impl.AfterCommit([done = std::move(done), answer = std::move(answer)]() mutable {
      done(std::move(answer));
    });
  }));
}

void Host::Reload(std::shared_ptr<const Config> config, Done<absl::Status> done) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, config = std::move(config),
                        done = Once<absl::Status>(std::move(done), Stopping())]() mutable {
    impl.Operate(event::FileRead{std::move(config)}, std::move(done));
  }));
}

void Host::DryRun(std::shared_ptr<const Work> work, Done<Decision> done) {
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, work = std::move(work),
                        done = Once<Decision>(std::move(done), Decision{})]() mutable {
    done(impl.brain_.DryRun(*work, std::max(impl.last_at(), impl.clock_.Now())));
  }));
}

void Host::OpenLedger(Done<std::vector<record::LedgerRow>> done) {
  using Rows = std::vector<record::LedgerRow>;
  Impl& impl = *impl_;
  impl.Push(Impl::Task([&impl, done = Once<Rows>(std::move(done), Rows())]() mutable {
    done(impl.brain_.OpenLedger(std::max(impl.last_at(), impl.clock_.Now())));
  }));
}

void Host::Logs(PoolId pool, AttemptKey key, LogStream stream, std::uint64_t offset,
                std::size_t limit, bool follow, JobAdapter::LogAnswer answer) {
  Impl& impl = *impl_;
  using Chunk = absl::StatusOr<LogChunk>;
  impl.Push(Impl::Task([&impl, pool, key, stream, offset, limit, follow,
                        answer = Once<Chunk>(std::move(answer), Chunk(Stopping()))]() mutable {
    JobAdapter* adapter = impl.adapters_stopped() ? nullptr : impl.AdapterOf(pool);
    impl.observer_.OnAdapterCall(impl.TypeOf(pool), "logs",
                                 adapter ? absl::StatusCode::kOk : absl::StatusCode::kNotFound,
                                 absl::InfiniteDuration());
    if (adapter == nullptr)
      return answer(absl::NotFoundError(
          absl::StrCat("no adapter of type ", impl.TypeOf(pool), " runs here")));
    adapter->Logs(key, stream, offset, limit, follow, std::move(answer));
  }));
}

std::string PriceVersion(const Price& price) {
  const auto rate = [](const auto& p) { return p ? absl::StrCat(p->value()) : std::string("-"); };
  return absl::StrCat(rate(price.node_hour), ".", rate(price.input), ".", rate(price.output));
}

}  // namespace spillway
