#include "controller/metrics/request_counters.h"

#include <utility>

namespace spillway {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using PrometheusLabels = std::map<std::string, std::string>;

const Buckets kDuration = {.01,  .02,  .04,  .08,   .16,   .32,   .64,
                           1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const Buckets kFirst = {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10};
const Buckets kEach = {.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5};
const Buckets kTokens = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576};
const Buckets kRatio = {.25, .5, .7, .8, .9, 1, 1.1, 1.25, 1.5, 2, 4};

constexpr double kNano = 1e-9, kMicro = 1e-6;

auto& Histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}
auto& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

std::string OperationOf(ModelKind kind) {
  switch (kind) {
    case ModelKind::kEmbedding:
      return "embeddings";
    case ModelKind::kBatch:
      return "inference";  // images, rankings: no name of OpenTelemetry's fits
    case ModelKind::kChat:
      break;
  }
  return "chat";
}

}  // namespace

RequestCounters::RequestCounters(prometheus::Registry& registry, Caps caps)
    : caps_(caps),
      models_(caps.models),
      pools_(caps.pools),
      tenants_(caps.tenants),
      duration_(Histogram(registry, "gen_ai_server_request_duration_seconds",
                          "From a request's arrival to the end of its answer.")),
      ttft_(Histogram(registry, "gen_ai_server_time_to_first_token_seconds",
                      "From a request's arrival to its first token; known of streams.")),
      tpot_(Histogram(registry, "gen_ai_server_time_per_output_token_seconds",
                      "Between two tokens of a stream, mean of each request.")),
      tokens_(Histogram(registry, "gen_ai_client_token_usage",
                        "Tokens of a request, as the engine counted them.")),
      ttft_ratio_(Histogram(registry, "spillway_request_ttft_ratio",
                            "Time to the first token, observed / estimated.")),
      duration_ratio_(Histogram(registry, "spillway_request_duration_ratio",
                                "Time to the end of whole answers, observed / estimated.")),
      cost_ratio_(Histogram(registry, "spillway_request_cost_ratio",
                            "Allocated cost of whole answers, booked / estimated.")),
      requests_(Counter(registry, "spillway_requests_total", "Requests by how they ended.")),
      cost_(Counter(registry, "spillway_request_cost_usd_total",
                    "Allocated cost of requests, US dollars.")),
      baseline_(Counter(registry, "spillway_request_baseline_cost_usd_total",
                        "What requests would have cost on the baseline, where there is one.")),
      compared_(Counter(registry, "spillway_request_compared_cost_usd_total",
                        "The part of the allocated cost that has a baseline.")),
      energy_(Counter(registry, "spillway_request_energy_joules_total",
                      "Energy of requests at the node, joules.")),
      spills_(Counter(registry, "spillway_request_spills_total",
                      "Requests that the first pool in claim order did not take, by its code.")),
      uncounted_(Counter(registry, "spillway_request_uncounted_total",
                         "Answers whose tokens the engine did not count, or not believably: booked "
                         "at their estimate.")),
      retries_(Counter(registry, "spillway_request_attempt_faults_total",
                       "Attempts that failed before anything reached the client.")) {}

void RequestCounters::Count(const record::PoolRow& row) {
  if (Index(row.pool) >= names_.size()) names_.resize(Index(row.pool) + 1);
  names_[Index(row.pool)] = row.spec->name;
}

std::string RequestCounters::NameOfPool(PoolId id) const {
  return Index(id) < names_.size() ? names_[Index(id)] : "none";
}

RequestCounters::Series RequestCounters::MakeSeries(const std::string& pool,
                                                    const std::string& model,
                                                    const std::string& tenant, ModelKind kind) {
  const PrometheusLabels gen_ai = {{"gen_ai_operation_name", OperationOf(kind)},
                                   {"gen_ai_provider_name", "spillway"},
                                   {"gen_ai_response_model", model},
                                   {"pool", pool}};
  const auto with = [&](const char* type) {
    PrometheusLabels labels = gen_ai;
    labels.emplace("gen_ai_token_type", type);
    return labels;
  };
  const PrometheusLabels money = {{"pool", pool}, {"model", model}, {"tenant", tenant}};
  const auto histogram = [this](auto& family, const PrometheusLabels& labels,
                                const Buckets& bounds) {
    return Gathered(family.Add(labels, bounds), bounds);
  };
  return {.duration = histogram(duration_, gen_ai, kDuration),
          .ttft = histogram(ttft_, gen_ai, kFirst),
          .tpot = histogram(tpot_, gen_ai, kEach),
          .input = histogram(tokens_, with("input"), kTokens),
          .output = histogram(tokens_, with("output"), kTokens),
          .ttft_ratio = histogram(ttft_ratio_, {{"pool", pool}, {"model", model}}, kRatio),
          .duration_ratio = histogram(duration_ratio_, {{"pool", pool}, {"model", model}}, kRatio),
          .cost_ratio = histogram(cost_ratio_, {{"pool", pool}, {"model", model}}, kRatio),
          .cost = GatheredCounter(cost_.Add(money)),
          .baseline = GatheredCounter(baseline_.Add(money)),
          .compared = GatheredCounter(compared_.Add(money)),
          .energy = GatheredCounter(energy_.Add(money)),
          .ends = {},
          .pool = pool,
          .model = model,
          .tenant = tenant};
}

// Tenants share the histograms of a pool and model.
GatheredHistogram* RequestCounters::Gathered(prometheus::Histogram& histogram,
                                             const Buckets& bounds) {
  return &histograms_.try_emplace(&histogram, histogram, bounds).first->second;
}

RequestCounters::Series& RequestCounters::SeriesFor(const Request& request) {
  const RequestFeatures& features = request.features;
  // Names of clients are only labels where a model answered: they may name anything.
  const std::string& model = request.answered_by;
  const PoolId at = request.endpoint().pool;
  if (last_ != nullptr && std::tie(at, model, features.tenant, features.kind) == last_key_)
    return *last_;
  Key key(at, model, features.tenant, features.kind);
  last_key_ = key;
  if (const auto found = series_.find(key); found != series_.end())
    return *(last_ = &found->second);
  const bool full = series_.size() >= caps_.series;
  if (full) {
    ++dropped_series_;
    key = Key(kNoPool, "other", "other", features.kind);
  }
  const std::string pool =
      full ? "other" : std::string(pools_.Of(NameOfPool(request.endpoint().pool)));
  const std::string by = full ? "other" : model.empty() ? "none" : std::string(models_.Of(model));
  const std::string tenant = full ? "other" : std::string(tenants_.Of(features.tenant));
  last_ = &series_.try_emplace(key, MakeSeries(pool, by, tenant, features.kind)).first->second;
  return *last_;
}

void RequestCounters::Count(const event::RequestsEnded& ended) {
  for (const auto& request : ended.requests) Gather(*request);
  Pour();
}

void RequestCounters::Count(const Request& request) {
  Gather(request);
  Pour();
}

void RequestCounters::Pour() {
  for (GatheredHistogram* const histogram : histograms_to_pour_) histogram->Pour();
  histograms_to_pour_.clear();
  for (Series* const series : series_to_pour_) {
    for (auto& [end, counter] : series->ends) counter.Pour();
    for (GatheredCounter* const counter :
         {&series->cost, &series->baseline, &series->compared, &series->energy})
      counter->Pour();
    series->gathered = false;
  }
  series_to_pour_.clear();
}

void RequestCounters::Add(GatheredHistogram& histogram, double value) {
  if (histogram.empty()) histograms_to_pour_.push_back(&histogram);
  histogram.Add(value);
}

// What was expected of the endpoint that answered, with what was. How long an answer is, is a part
// of that; what another endpoint lost before is not.
void RequestCounters::Compare(const Request& request, Series& series) {
  const Estimate& expected = request.expected;
  if (request.ttft && expected.ttft && *expected.ttft > absl::ZeroDuration())
    Add(*series.ttft_ratio, absl::FDivDuration(*request.ttft, *expected.ttft));
  if (request.end != RequestEnd::kAnswered || request.attempts.size() != 1) return;
  const absl::Duration took = request.ended - request.features.arrived - request.queued;
  const absl::Duration wanted = expected.wait.p50 + expected.duration.p50;
  if (wanted > absl::ZeroDuration()) Add(*series.duration_ratio, absl::FDivDuration(took, wanted));
  if (request.priced && expected.priced && expected.cost > Usd(0))
    Add(*series.cost_ratio,
        static_cast<double>(request.cost.value()) / static_cast<double>(expected.cost.value()));
}

void RequestCounters::Gather(const Request& request) {
  Series& series = SeriesFor(request);
  if (!std::exchange(series.gathered, true)) series_to_pour_.push_back(&series);
  const auto pool = [&] { return std::string(pools_.Of(NameOfPool(request.endpoint().pool))); };
  auto ended = series.ends.find(request.end);
  if (ended == series.ends.end()) {
    prometheus::Counter& counter = requests_.Add({{"pool", series.pool},
                                                  {"model", series.model},
                                                  {"tenant", series.tenant},
                                                  {"end", std::string(NameOf(request.end))}});
    ended = series.ends.emplace(request.end, counter).first;
  }
  ended->second.Add(1);
  for (const ForwardAttempt& attempt : request.attempts) {
    if (attempt.fault == ForwardFault::kNone) continue;
    retries_
        .Add({{"pool", std::string(pools_.Of(NameOfPool(attempt.endpoint.pool)))},
              {"fault", std::string(NameOf(attempt.fault))}})
        .Increment();
  }
  if (request.spilled_from != kNoPool) {
    spills_
        .Add({{"from", std::string(pools_.Of(NameOfPool(request.spilled_from)))},
              {"to", pool()},
              {"code", std::string(NameOf(request.spilled_code))}})
        .Increment();
  }
  if (request.answered_by.empty()) return;
  const ModelKind kind = request.features.kind;
  const bool says_all =
      kind == ModelKind::kBatch ||  // it has no tokens
      (request.prompt_tokens && (request.output_tokens || kind == ModelKind::kEmbedding));
  if (request.end == RequestEnd::kAnswered && !says_all)
    uncounted_.Add({{"pool", pool()}}).Increment();
  Add(*series.duration, absl::ToDoubleSeconds(request.ended - request.features.arrived));
  if (request.ttft) Add(*series.ttft, absl::ToDoubleSeconds(*request.ttft));
  if (request.tpot) Add(*series.tpot, absl::ToDoubleSeconds(*request.tpot));
  if (request.prompt_tokens) Add(*series.input, static_cast<double>(*request.prompt_tokens));
  if (request.output_tokens) Add(*series.output, static_cast<double>(*request.output_tokens));
  Compare(request, series);
  series.cost.Add(static_cast<double>(request.cost.value()) * kNano);
  series.energy.Add(static_cast<double>(request.energy.value()) * kMicro);
  if (!request.baseline_cost) return;
  series.baseline.Add(static_cast<double>(request.baseline_cost->value()) * kNano);
  series.compared.Add(static_cast<double>(request.cost.value()) * kNano);
}

void RequestCounters::AddDropped(Dropped& dropped) const {
  dropped["tenant"] += tenants_.dropped();
  dropped["pool"] += pools_.dropped();
  dropped["model"] += models_.dropped();
  dropped["pool,model,tenant"] += dropped_series_;
}

}  // namespace spillway
