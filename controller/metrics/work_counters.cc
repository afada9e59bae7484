#include "controller/metrics/work_counters.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "controller/metrics/objectives.h"

namespace spillway {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Jobs take from a part of a second to days.
const Buckets kJobSeconds = {.1,  .5,  1,    5,    10,   30,    60,    120,
                             300, 900, 1800, 3600, 7200, 21600, 86400, 604800};
const Buckets kJobUsd = {1e-6, 1e-5, 1e-4, 1e-3, 5e-3, .01, .05, .1, .5, 1, 5, 10, 50, 100, 1000};
const Buckets kRoomSeconds = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3, 5};

constexpr std::string_view kJob = "job", kRequest = "request", kNvidia = "nvidia";
constexpr const char* kNone = "none";

auto& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

// A rule of the policy is no lack of the pool.
bool AbleButForRules(CodeSet codes) {
  return !CodeSet(codes.bits() & ~(1u << static_cast<unsigned>(Code::kRule))).AnyCannot();
}

}  // namespace

WorkCounters::ByClass::ByClass(prometheus::Registry& registry, const char* name, const char* help,
                               Buckets buckets)
    : family_(prometheus::BuildHistogram().Name(name).Help(help).Register(registry)),
      buckets_(std::move(buckets)) {}

void WorkCounters::ByClass::Observe(const std::string& work_class, const std::string& pool,
                                    double value, std::size_t most, std::uint64_t& dropped) {
  std::pair<std::string, std::string> key{work_class, pool};
  if (series_.size() >= most && !series_.contains(key)) {
    ++dropped;
    key = {"other", "other"};
  }
  prometheus::Histogram*& histogram = series_[key];
  if (histogram == nullptr)
    histogram = &family_.Add({{"work_class", key.first}, {"pool", key.second}}, buckets_);
  histogram->Observe(value);
}

WorkCounters::WorkCounters(prometheus::Registry& registry, Caps caps)
    : caps_(caps),
      tenants_(caps.tenants),
      pools_(caps.pools),
      classes_(caps.classes),
      models_(caps.models),
      objectives_(Counter(registry, "spillway_objectives_total",
                          "Work that is over, by whether it kept its objective.")),
      placements_(Counter(registry, "spillway_placements_total",
                          "Jobs and requests by the pool that they were put on.")),
      avoidable_(Counter(registry, "spillway_avoidable_nvidia_placements_total",
                         "Placements on NVIDIA of work that a pool of another vendor is able to "
                         "do, whatever its load, state or rank.")),
      conflicts_(Counter(registry, "spillway_claim_conflicts_total",
                         "Claims that came to nothing: the pool had no room although its view "
                         "showed some.")),
      models_served_(Counter(registry, "spillway_request_models_total",
                             "Answered requests by the model named and the model that answered.")),
      cached_(Counter(registry, "spillway_request_cached_tokens_total",
                      "Prompt tokens that engines had in their caches, as they say.")),
      room_wait_(prometheus::BuildHistogram()
                     .Name("spillway_request_wait_seconds")
                     .Help("How long requests waited here for room in an engine.")
                     .Register(registry)
                     .Add({}, kRoomSeconds)),
      wait_(registry, "spillway_job_wait_seconds", "From a job's submission to its first start.",
            kJobSeconds),
      run_(registry, "spillway_job_duration_seconds",
           "From a job's submission to its end, if it succeeded.", kJobSeconds),
      cost_(registry, "spillway_job_cost_usd", "Allocated cost of a job, all its attempts.",
            kJobUsd) {}

void WorkCounters::Count(const record::PoolRow& row) {
  last_placed_ = {};  // its name or vendor may be another
  if (Index(row.pool) >= known_.size()) known_.resize(Index(row.pool) + 1, {kNone, kNone, kNone});
  known_[Index(row.pool)] = {row.spec->name, HarmlessLabel(row.spec->vendor),
                             std::string(NameOf(row.spec->kind))};
}

const WorkCounters::Pool& WorkCounters::PoolOf(PoolId id) const {
  static const Pool kNoSuch{kNone, kNone, kNone};
  return Index(id) < known_.size() ? known_[Index(id)] : kNoSuch;
}
std::string WorkCounters::PoolLabel(PoolId id) { return std::string(pools_.Of(PoolOf(id).name)); }
bool WorkCounters::IsNvidia(PoolId id) const { return PoolOf(id).vendor == kNvidia; }

prometheus::Counter& WorkCounters::At(prometheus::Family<prometheus::Counter>& family,
                                      Counters& found, const std::vector<std::string_view>& names,
                                      std::vector<std::string> words) {
  prometheus::Counter*& counter = found[words];
  if (counter == nullptr) {
    std::map<std::string, std::string> labels;
    for (std::size_t i = 0; i < names.size(); ++i)
      labels.emplace(std::string(names[i]), std::move(words[i]));
    counter = &family.Add(labels);
  }
  return *counter;
}

void WorkCounters::CountKept(std::string_view work, const std::string& tenant,
                             std::optional<bool> kept) {
  if (!kept) return;
  LastKept& last = last_kept_;
  if (last.counter != nullptr && last.kept == *kept && last.work == work && last.tenant == tenant)
    return last.counter->Increment();
  const std::uint64_t dropped = tenants_.dropped();
  prometheus::Counter& counter =
      At(objectives_, objectives_found_, {"class", "tenant", "outcome"},
         {std::string(work), std::string(tenants_.Of(tenant)), *kept ? "kept" : "missed"});
  counter.Increment();
  // What did not fit under a cap is looked for each time, since that counts it.
  last = {work, tenant, *kept, tenants_.dropped() == dropped ? &counter : nullptr};
}

void WorkCounters::CountPlaced(std::string_view work, PoolId pool, bool avoidable) {
  LastPlaced& last = last_placed_;
  if (last.counter != nullptr && last.pool == pool && last.work == work) {
    last.counter->Increment();
  } else {
    const std::uint64_t dropped = pools_.dropped();
    const Pool& known = PoolOf(pool);
    prometheus::Counter& counter =
        At(placements_, placements_found_, {"class", "pool", "vendor", "kind"},
           {std::string(work), PoolLabel(pool), known.vendor, known.kind});
    counter.Increment();
    last = {work, pool, pools_.dropped() == dropped ? &counter : nullptr};
  }
  if (!avoidable) return;
  At(avoidable_, avoidable_found_, {"class", "pool"}, {std::string(work), PoolLabel(pool)})
      .Increment();
}

void WorkCounters::CountConflict(std::string_view work, PoolId pool) {
  At(conflicts_, conflicts_found_, {"class", "pool"}, {std::string(work), PoolLabel(pool)})
      .Increment();
}

void WorkCounters::CountEnded(const Job& job) {
  CountKept(kJob, job.work->tenant, KeptObjective(job));
  for (const Attempt& attempt : job.attempts) {
    if (!attempt.started_at && attempt.fault == Fault::kInfrastructure)
      CountConflict(kJob, attempt.pool);
  }
  const auto* sized = std::get_if<ClassUnits>(&job.work->demand);
  const std::string work_class =
      sized == nullptr ? kNone : std::string(classes_.Of(sized->work_class));
  const std::string pool = job.attempts.empty() ? kNone : PoolLabel(job.attempts.back().pool);
  const auto observe = [&](ByClass& histogram, double value) {
    histogram.Observe(work_class, pool, value, caps_.series, dropped_series_);
  };
  if (job.started_at)
    observe(wait_, absl::ToDoubleSeconds(
                       std::max(*job.started_at - job.created_at, absl::ZeroDuration())));
  if (job.state == JobState::kSucceeded && job.finished_at)
    observe(run_, absl::ToDoubleSeconds(*job.finished_at - job.created_at));
  if (!job.attempts.empty())
    observe(cost_, static_cast<double>((job.cost + job.overhead_cost).value()) / kNanosPerUsd);
}

void WorkCounters::Count(const Decision& decision) {
  if (decision.outcome != Outcome::kPlaced) return;
  const bool avoidable = IsNvidia(decision.chosen) &&
                         std::any_of(decision.candidates.begin(), decision.candidates.end(),
                                     [this](const Candidate& candidate) {
                                       return candidate.pool != kNoPool &&
                                              !IsNvidia(candidate.pool) &&
                                              AbleButForRules(candidate.codes);
                                     });
  CountPlaced(kJob, decision.chosen, avoidable);
}

bool WorkCounters::OthersServe(const RequestFeatures& features, const RouterView& view) {
  if (said_.view == view.id() && said_.models == features.models && said_.tenant == features.tenant)
    return said_.others;
  std::vector<int> wanted;
  for (const std::string& model : features.models) wanted.push_back(view.FindModel(model));
  const auto serves = [&](const ViewEndpoint& endpoint) {
    const ViewPool& pool = view.pools()[endpoint.pool];
    const auto& tenants = pool.spec->tenants;
    const bool may = tenants.empty() ||
                     std::find(tenants.begin(), tenants.end(), features.tenant) != tenants.end();
    return !pool.removed && !IsNvidia(pool.id) && may && endpoint.Find(wanted) != nullptr;
  };
  said_ = {.view = view.id(),
           .models = features.models,
           .tenant = features.tenant,
           .others = std::any_of(view.endpoints().begin(), view.endpoints().end(), serves)};
  return said_.others;
}

void WorkCounters::Count(const Request& request, const RouterView* view) {
  for (const ForwardAttempt& attempt : request.attempts) {
    if (attempt.fault == ForwardFault::kOverloaded) CountConflict(kRequest, attempt.endpoint.pool);
  }
  if (request.queued > absl::ZeroDuration())
    room_wait_.Observe(absl::ToDoubleSeconds(request.queued));
  if (!request.attempts.empty()) {
    const PoolId pool = request.endpoint().pool;
    const bool avoidable =
        IsNvidia(pool) && view != nullptr && OthersServe(request.features, *view);
    CountPlaced(kRequest, pool, avoidable);
  }
  if (view != nullptr) {
    const auto& wanted = request.features.models;
    const int place = wanted.empty() ? -1 : view->FindModel(wanted.front());
    const ViewModel* model =
        place >= 0 ? &view->models()[static_cast<std::size_t>(place)] : nullptr;
    CountKept(kRequest, request.features.tenant,
              KeptObjective(request, view->Limits(request.features, model)));
  }
  if (request.answered_by.empty()) return;
  // A name of a client is only a label where a model answered to it.
  LastServed& last = last_served_;
  if (last.counter != nullptr && last.requested == request.features.model &&
      last.served == request.answered_by) {
    last.counter->Increment();
  } else {
    const std::uint64_t dropped = models_.dropped();
    prometheus::Counter& counter = At(models_served_, served_found_, {"requested", "served"},
                                      {std::string(models_.Of(request.features.model)),
                                       std::string(models_.Of(request.answered_by))});
    counter.Increment();
    last = {request.features.model, request.answered_by,
            models_.dropped() == dropped ? &counter : nullptr};
  }
  if (request.cached_tokens)
    At(cached_, cached_found_, {"pool", "model"},
       {PoolLabel(request.endpoint().pool), std::string(models_.Of(request.answered_by))})
        .Increment(static_cast<double>(*request.cached_tokens));
}

void WorkCounters::AddDropped(Dropped& dropped) const {
  dropped["tenant"] += tenants_.dropped();
  dropped["pool"] += pools_.dropped();
  dropped["model"] += models_.dropped();
  dropped["work_class"] += classes_.dropped();
  dropped["work_class,pool"] += dropped_series_;
}

}  // namespace spillway
