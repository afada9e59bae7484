#include "simulator/job_hindsight.h"

#include <algorithm>

#include "performance/power.h"
#include "performance/share.h"
#include "policies/ability.h"

namespace spillway {
namespace {

constexpr double kRounding = 1e-9;

// What holding it adds to the bill.
Usd MarginalCost(const PoolSpec& pool, const Holding& held, absl::Duration runs) {
  const Usd energy = FootprintOf(pool, held, runs).energy_cost;
  if (pool.billing != Billing::kMetered || !pool.price.node_hour) return energy;
  return *pool.price.node_hour * Scale(runs, held.share * held.nodes);
}

// Of the pool, by what jobs there fight for.
double PartOf(const PoolSpec& pool, const Needs& needs) {
  const double each =
      pool.node.devices > 0
          ? needs.devices.count * needs.devices.fraction / pool.node.devices
          : static_cast<double>(needs.cpus.value()) / static_cast<double>(pool.node.cpus.value());
  return each * HoldingOf(pool, needs).nodes / pool.nodes;
}

}  // namespace

JobHindsight::JobHindsight(const Config& config)
    : config_(config), pools_(config.fleet.pools.size()) {}

void JobHindsight::Held(PoolId pool, double part, absl::Time now) {
  pools_[Index(pool)].held = part;
  Note(pool, now);
}

void JobHindsight::NodeChanged(PoolId pool, bool up, absl::Time now) {
  int& down = pools_[Index(pool)].down;
  down = std::max(0, down + (up ? -1 : 1));
  Note(pool, now);
}

void JobHindsight::Note(PoolId pool, absl::Time now) {
  History& history = pools_[Index(pool)];
  const double taken =
      history.held + static_cast<double>(history.down) / config_.fleet.pools[Index(pool)].nodes;
  auto& steps = history.steps;
  if (!steps.empty() && steps.back().first == now) {
    steps.back().second = taken;
  } else if (steps.size() < kMostSteps) {
    steps.emplace_back(now, taken);
  }
}

JobHindsight::Place JobHindsight::PlaceOn(const Job& job, PoolId pool, const WorkFace& face,
                                          absl::Duration runs) const {
  const PoolSpec& spec = config_.fleet.pools[Index(pool)];
  Place place{.pool = pool, .part = PartOf(spec, face.needs), .runs = runs};
  place.candidate.pool = spec.name;
  place.candidate.able = AbilityOf(*job.work, face, spec).able();
  place.candidate.cost = MarginalCost(spec, HoldingOf(spec, face.needs), runs);
  return place;
}

void JobHindsight::Done(const Job& job,
                        absl::FunctionRef<absl::Duration(PoolId, const WorkFace&)> duration_on,
                        RegretTally& tally) {
  if (job.attempts.empty()) return;
  const auto& pools = config_.fleet.pools;
  const PoolId there = job.attempts.back().pool;
  if (!IsLastResort(pools[Index(there)], config_.policy)) return;
  tally.Placed();
  if (pieces_.size() >= kMostJobs) return;
  const Objective& objective = job.work->objective;
  Piece piece{.created = job.created_at};
  piece.by_start = !objective.deadline;
  piece.within = objective.deadline
                     ? *objective.deadline - job.created_at
                     : objective.start_within.value_or(config_.policy.objectives.job_start_within);
  const auto place_on = [&](PoolId pool) {
    const WorkFace face = FaceFor(*job.work, pools[Index(pool)]);
    return PlaceOn(job, pool, face, duration_on(pool, face));
  };
  piece.places.push_back(place_on(there));
  piece.places.front().candidate.backstop = true;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    const PoolId pool{static_cast<std::uint32_t>(p)};
    if (pool == there || IsLastResort(pools[p], config_.policy)) continue;
    if (pools[p].billing == Billing::kUnpriced) continue;  // nobody knows whether it is cheaper
    piece.places.push_back(place_on(pool));
  }
  pieces_.push_back(std::move(piece));
}

absl::Duration JobHindsight::RoomAfter(const Piece& piece, const Place& place) const {
  const absl::Time latest =
      piece.created + piece.within - (piece.by_start ? absl::ZeroDuration() : place.runs);
  const auto& steps = pools_[Index(place.pool)].steps;
  auto step = std::upper_bound(steps.begin(), steps.end(), piece.created,
                               [](absl::Time at, const auto& s) { return at < s.first; });
  absl::Time from = piece.created;
  double held = step == steps.begin() ? 0 : std::prev(step)->second;
  for (;; held = step->second, ++step) {
    const bool last = step == steps.end();
    const absl::Time until = last ? absl::InfiniteFuture() : step->first;
    if (held + place.part > 1 + kRounding) from = until;  // it begins when that is over
    if (from > latest) return absl::InfiniteDuration();
    if (last || until - from >= place.runs) return from - piece.created;
  }
}

void JobHindsight::Finish(RegretTally& tally) const {
  for (const Piece& piece : pieces_) {
    std::vector<HindsightCandidate> candidates;
    for (const Place& place : piece.places) {
      HindsightCandidate candidate = place.candidate;
      if (candidate.able && !candidate.backstop) {
        candidate.free_after = RoomAfter(piece, place);
        candidate.takes = piece.by_start ? absl::ZeroDuration() : place.runs;
        candidate.able = candidate.free_after != absl::InfiniteDuration();
      }
      candidates.push_back(std::move(candidate));
    }
    tally.Examined(RegretOf(candidates, 0, piece.within));
  }
}

}  // namespace spillway
