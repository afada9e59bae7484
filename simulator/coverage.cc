#include "simulator/coverage.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "performance/request_time.h"
#include "policies/ability.h"

namespace spillway {
namespace {

constexpr std::int64_t kLongest = 10'000'000;  // tokens, where nothing limits a prompt

std::optional<double> Part(double part, double whole) {
  if (whole <= 0) return std::nullopt;
  return part / whole;
}

std::string ClassOf(const Work& work) {
  if (const auto* units = std::get_if<ClassUnits>(&work.demand)) return units->work_class;
  return work.name;
}

}  // namespace

CoverageTally::CoverageTally(const Config& config, const ScenarioObjective& objective)
    : config_(config),
      objective_(objective),
      book_(config.catalog),
      request_compute_(config.fleet.pools.size()),
      job_compute_(config.fleet.pools.size()) {
  for (const PoolSpec& pool : config.fleet.pools) speeds_.push_back(book_.SpeedOf(pool));
}

// The time to the first token rises with the prompt, so one number says it for all of them.
CoverageTally::Longest CoverageTally::LongestOn(const PoolSpec& pool,
                                                const ServeSpec& serve) const {
  const auto limits = LimitsFor(config_.catalog, pool, serve);
  if (limits.status().code() == absl::StatusCode::kFailedPrecondition) return {};
  const auto steps = StepTimesFor(config_.catalog, pool, serve);
  if (!limits.ok() || steps == nullptr) return {kLongest, kLongest, kLongest};
  const DefaultObjectives& policy = config_.policy.objectives;
  RequestObjective wanted{objective_.ttft, objective_.tpot};
  if (const auto model = policy.models.find(serve.model); model != policy.models.end()) {
    if (!wanted.ttft) wanted.ttft = model->second.ttft;
    if (!wanted.tpot) wanted.tpot = model->second.tpot;
  }
  const absl::Duration ttft = wanted.ttft.value_or(policy.request_ttft);
  const absl::Duration tpot = wanted.tpot.value_or(policy.request_tpot);
  const auto longest = [&](auto in_time) {
    std::int64_t low = 0, high = std::min(limits->LongestSequence() - 1, kLongest);
    while (low < high) {
      const std::int64_t middle = low + (high - low + 1) / 2;
      if (in_time(TimesOf(*steps, *limits, EngineLoad{}, middle, 2))) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  };
  const absl::Duration way = pool.site.round_trip;
  return {.both = longest(
              [&](const RequestTimes& t) { return t.ttft + way <= ttft && t.tpot <= tpot; }),
          .ttft = longest([&](const RequestTimes& t) { return t.ttft + way <= ttft; }),
          .tpot = longest([&](const RequestTimes& t) { return t.tpot <= tpot; })};
}

CoverageTally::OfModel CoverageTally::ModelOn(const std::vector<std::string>& models) const {
  const auto& pools = config_.fleet.pools;
  OfModel out{.longest = std::vector<std::int64_t>(pools.size()),
              .covered = std::vector<std::int64_t>(pools.size()),
              .serves = std::vector<bool>(pools.size())};
  for (std::size_t p = 0; p < pools.size(); ++p) {
    for (const ServeSpec& serve : pools[p].serves) {
      if (std::find(models.begin(), models.end(), serve.model) == models.end()) continue;
      out.serves[p] = true;
      const Longest longest = LongestOn(pools[p], serve);
      out.longest[p] = std::max(out.longest[p], longest.both);
      out.longest_of_any = std::max(out.longest_of_any, longest.both);
      out.longest_ttft = std::max(out.longest_ttft, longest.ttft);
      out.longest_tpot = std::max(out.longest_tpot, longest.tpot);
    }
  }
  return out;
}

void CoverageTally::Asked(std::string_view model, const std::vector<std::string>& models,
                          std::int64_t prompt) {
  auto known = models_.find(model);
  if (known == models_.end()) known = models_.emplace(std::string(model), ModelOn(models)).first;
  OfModel& of = known->second;
  ++of.asked;
  ++requests_;
  feasible_ += prompt <= of.longest_of_any;
  feasible_ttft_ += prompt <= of.longest_ttft;
  feasible_tpot_ += prompt <= of.longest_tpot;
  for (std::size_t p = 0; p < of.longest.size(); ++p) {
    if (of.serves[p] && prompt <= of.longest[p]) ++of.covered[p];
  }
}

void CoverageTally::Asked(const Work& job) {
  const auto& pools = config_.fleet.pools;
  OfClass& of = classes_[ClassOf(job)];
  of.covered.resize(pools.size());
  ++of.asked;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    if (AbilityOf(job, FaceFor(job, pools[p]), pools[p]).able()) ++of.covered[p];
  }
}

void CoverageTally::Done(const Request& request) {
  const auto model = config_.catalog.models.find(request.answered_by);
  if (model == config_.catalog.models.end()) return;
  const std::int64_t tokens = request.prompt_tokens.value_or(0) + request.output_tokens.value_or(0);
  request_compute_[Index(request.endpoint().pool)] +=
      static_cast<double>(tokens) * model->second.active_parameters;
}

double CoverageTally::SecondsOf(const Work& work) const {
  const auto named = [this](std::string_view name) -> const PoolSpeed* {
    const auto found = std::find_if(speeds_.begin(), speeds_.end(),
                                    [name](const PoolSpeed& s) { return s.pool == name; });
    return found == speeds_.end() ? nullptr : &*found;
  };
  const SizedDemand demand = Resolve(work.demand, book_, named);
  const auto& pools = config_.fleet.pools;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t p = 0; p < pools.size(); ++p) {
    const WorkFace face = FaceFor(work, pools[p]);
    if (!AbilityOf(work, face, pools[p]).able()) continue;
    const JobLength length =
        LengthOf(demand, face.needs, speeds_[p], config_.policy.default_duration);
    least = std::min(least, absl::ToDoubleSeconds(length.p50));
  }
  return least == std::numeric_limits<double>::infinity() ? 0 : least;
}

void CoverageTally::Done(const Job& job) {
  if (job.attempts.empty()) return;
  job_compute_[Index(job.attempts.back().pool)] += SecondsOf(*job.work);
}

void CoverageTally::Write(CellOutcome& out) const {
  const auto part = [this](std::int64_t count) {
    return requests_ == 0 ? 1 : static_cast<double>(count) / static_cast<double>(requests_);
  };
  out.feasible = part(feasible_);
  out.feasible_ttft = part(feasible_ttft_);
  out.feasible_tpot = part(feasible_tpot_);
  double requests = 0, jobs = 0;
  for (const auto& [name, of] : models_) requests += static_cast<double>(of.asked);
  for (const auto& [name, of] : classes_) jobs += static_cast<double>(of.asked);
  const double all_requests =
      std::accumulate(request_compute_.begin(), request_compute_.end(), 0.0);
  const double all_jobs = std::accumulate(job_compute_.begin(), job_compute_.end(), 0.0);
  for (std::size_t p = 0; p < out.pools.size(); ++p) {
    double served = 0, covered = 0, classes = 0, able = 0;
    for (const auto& [name, of] : models_) {
      served += of.serves[p] ? 1 : 0;
      covered += static_cast<double>(of.covered[p]);
    }
    for (const auto& [name, of] : classes_) {
      classes += of.covered[p] > 0 ? 1 : 0;
      able += static_cast<double>(of.covered[p]);
    }
    PoolCoverage& coverage = out.pools[p].coverage;
    coverage.models = Part(served, static_cast<double>(models_.size()));
    coverage.prompts = Part(covered, requests);
    coverage.classes = Part(classes, static_cast<double>(classes_.size()));
    coverage.jobs = Part(able, jobs);
    coverage.request_compute = Part(request_compute_[p], all_requests);
    coverage.job_compute = Part(job_compute_[p], all_jobs);
  }
}

}  // namespace spillway
