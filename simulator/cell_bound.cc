#include "simulator/cell_bound.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/scenario.h"
#include "core/status.h"
#include "policies/ability.h"

namespace spillway {
namespace {

int OctaveOf(std::int64_t tokens) {
  return static_cast<int>(
      std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(tokens, 0))));
}

// Do they differ in nothing but the amount?
bool Alike(const Demand& a, const Demand& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<ClassUnits>(&a))
    return x->work_class == std::get<ClassUnits>(b).work_class;
  if (const auto* x = std::get_if<DeclaredSeconds>(&a))
    return x->on == std::get<DeclaredSeconds>(b).on;
  return true;
}

// May jobs of these two be counted as one kind, by the amount of work alone?
bool Alike(const Work& a, const Work& b) {
  return a.needs == b.needs && a.pin == b.pin && a.tenant == b.tenant &&
         Alike(a.demand, b.demand) &&
         std::equal(a.alternatives.begin(), a.alternatives.end(), b.alternatives.begin(),
                    b.alternatives.end(), [](const Alternative& x, const Alternative& y) {
                      return x.on == y.on && x.needs == y.needs && Alike(x.demand, y.demand);
                    });
}

}  // namespace

void CellBound::Add(const Request& request, bool in_time) {
  const bool has_items = request.features.kind == ModelKind::kBatch;
  const std::int64_t prompt =
      has_items ? request.features.items : request.prompt_tokens.value_or(1);
  const std::int64_t output = request.output_tokens.value_or(0);
  const auto add = [&](std::map<SizeKey, RequestBucket>& buckets) {
    RequestBucket& bucket = buckets[{request.features.model, OctaveOf(prompt), OctaveOf(output)}];
    if (bucket.requests == 0) {
      bucket.name = absl::StrCat(request.features.model, "/", prompt, "/", output);
      bucket.models = request.features.models;
    }
    bucket.Add(prompt, std::clamp<std::int64_t>(request.cached_tokens.value_or(0), 0, prompt - 1),
               output);
  };
  add(all_);
  if (in_time) add(in_time_);
}

void CellBound::Add(const Job& job) {
  const Work& work = *job.work;
  auto shape = std::find_if(shapes_.begin(), shapes_.end(),
                            [&](const Shape& s) { return Alike(*s.work, work); });
  if (shape == shapes_.end()) {
    if (shapes_.size() >= kMostShapes) {
      too_many_ = true;
      return;
    }
    kept_.push_back(job.work);
    shape = shapes_.insert(shapes_.end(), Shape{.work = &work});
  }
  ++shape->jobs;
  if (const auto* units = std::get_if<ClassUnits>(&work.demand)) shape->units += units->units;
  if (const auto* seconds = std::get_if<DeclaredSeconds>(&work.demand))
    shape->seconds += seconds->seconds;
}

absl::StatusOr<Usd> CellBound::Solve(const std::map<SizeKey, RequestBucket>& buckets,
                                     const RequestLoads& options, bool whole,
                                     const CellOutcome& out) const {
  const std::vector<PoolSpec>& pools = config_.fleet.pools;
  BoundProblem problem;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    // The cell's bill holds no energy beside its prices, so neither does its bound.
    problem.pools.push_back(
        BoundPoolOf(pools[p], {.span = out.span, .whole = whole, .energy = false}));
    if (pools[p].billing == Billing::kCommitted) problem.committed_bill += out.pools[p].bill();
  }
  std::vector<RequestBucket> listed;
  for (const auto& [key, bucket] : buckets) {
    problem.work.push_back({bucket.name, 1});
    listed.push_back(bucket);
  }
  problem.loads = LoadsOf(config_.catalog, pools, listed, options);

  const SpeedBook book(config_.catalog);
  std::vector<PoolSpeed> speeds;
  speeds.reserve(pools.size());
  for (const PoolSpec& pool : pools) speeds.push_back(book.SpeedOf(pool));
  const auto named = [&](std::string_view name) -> const PoolSpeed* {
    const auto found = std::find_if(speeds.begin(), speeds.end(),
                                    [name](const PoolSpeed& s) { return s.pool == name; });
    return found == speeds.end() ? nullptr : &*found;
  };
  for (const Shape& shape : shapes_) {
    // All of its jobs as one: what they add up to is divided at will anyway.
    Demand demand = shape.work->demand;
    if (auto* units = std::get_if<ClassUnits>(&demand)) {
      units->units = shape.units / static_cast<double>(shape.jobs);
    } else if (auto* seconds = std::get_if<DeclaredSeconds>(&demand)) {
      seconds->seconds = shape.seconds / shape.jobs;
    }
    problem.work.push_back({shape.work->name, static_cast<double>(shape.jobs)});
    auto& row = problem.loads.emplace_back();
    for (std::size_t p = 0; p < pools.size(); ++p) {
      const WorkFace face = FaceFor(*shape.work, pools[p]);
      if (!AbilityOf(*shape.work, face, pools[p]).able()) {
        row.emplace_back();
        continue;
      }
      row.push_back(LoadOf(Resolve(demand, book, named), face.needs, pools[p], speeds[p],
                           config_.policy.default_duration));
    }
  }
  SPILLWAY_ASSIGN_OR_RETURN(const BoundAnswer answer, LowerBound(problem));
  return answer.lower_bound;
}

absl::Status CellBound::Write(const ScenarioObjective& objective, CellOutcome& out) const {
  if (too_many_ || (all_.empty() && shapes_.empty())) return absl::OkStatus();
  const RequestLoads loads{.prefix_cache = true};
  SPILLWAY_ASSIGN_OR_RETURN(const Usd bound, Solve(all_, loads, false, out));
  out.lower_bound = bound;
  if (out.slo_attainment() < objective.attainment) return absl::OkStatus();
  RequestLoads in_time = loads;
  in_time.ttft = objective.ttft;
  in_time.tpot = objective.tpot;
  // No policy may be able to do it in whole nodes; then the plain bound is all that can be said.
  if (const auto slo = Solve(in_time_, in_time, true, out); slo.ok())
    out.lower_bound_slo = std::max(*slo, *out.lower_bound);
  return absl::OkStatus();
}

}  // namespace spillway
