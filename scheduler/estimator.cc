#include "scheduler/estimator.h"

#include <algorithm>

namespace spillway {
namespace {

std::string ClassOf(const Demand& demand) {
  const auto* units = std::get_if<ClassUnits>(&demand);
  return units ? units->work_class : "";
}

// The nearest rank: the smallest run that at least the part `q` of them does not exceed.
absl::Duration Rank(const std::vector<absl::Duration>& sorted, int percent) {
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

void Estimator::Configure(const Catalog& catalog,
                          const std::vector<std::shared_ptr<const PoolSpec>>& pools) {
  book_.emplace(catalog);
  speeds_.clear();
  for (const auto& pool : pools) speeds_.push_back(book_->SpeedOf(*pool));
  for (auto& [name, runs] : runs_) ++runs.version;
}

double Estimator::Factor(const WorkFace& face, const PoolSpeed& speed) const {
  const auto* units = std::get_if<ClassUnits>(&face.demand);
  if (!units) return 1 / speed.speed;
  const auto number = book_->ClassNumber(units->work_class);
  const Rate rate = number ? RateOf(*number, face.needs, speed) : Rate{};
  return rate.known() ? units->units / rate.units_per_second : units->units / speed.speed;
}

const Estimator::Runs* Estimator::Find(const Work& work) const {
  if (work.name.empty()) return nullptr;
  const auto found = runs_.find(Name(work.tenant, work.name));
  return found == runs_.end() ? nullptr : &found->second;
}

Estimator::Length Estimator::Answer(const Work& work, const WorkFace& face, const PoolSpeed& speed,
                                    bool by_name) const {
  const Runs* runs = by_name ? Find(work) : nullptr;
  const bool enough = runs != nullptr && runs->row.runs.size() >= kRunsBeforeObserved &&
                      runs->row.work_class == ClassOf(face.demand);
  if (enough) {
    const double factor = Factor(face, speed);
    return {{Scale(runs->quantiles.p50, factor), Scale(runs->quantiles.p90, factor)},
            Basis::kObserved};
  }
  const auto pool_named = [&](std::string_view name) -> const PoolSpeed* {
    const auto found = std::find_if(speeds_.begin(), speeds_.end(),
                                    [&](const PoolSpeed& s) { return s.pool == name; });
    return found == speeds_.end() ? nullptr : &*found;
  };
  const JobLength length =
      spillway::LengthOf(Resolve(face.demand, *book_, pool_named), face.needs, speed, if_unknown_);
  return {WithSpread(length), length.basis};
}

Estimator::Length Estimator::LengthOf(const Work& work, const WorkFace& face, PoolId pool,
                                      bool by_name) const {
  return Answer(work, face, speeds_[Index(pool)], by_name);
}

Estimator::Length Estimator::LengthOn(const Work& work, const WorkFace& face, const PoolSpec& pool,
                                      bool by_name) const {
  return Answer(work, face, book_->SpeedOf(pool), by_name);
}

void Estimator::Summarise(Runs& runs) {
  std::vector<absl::Duration> sorted = runs.row.runs;
  std::sort(sorted.begin(), sorted.end());
  runs.quantiles = {Rank(sorted, 50), Rank(sorted, 90)};
  ++runs.version;
}

std::vector<record::ObservationRow> Estimator::Observe(const Work& work, const WorkFace& face,
                                                       PoolId pool, absl::Duration ran,
                                                       EventNumber event) {
  if (work.name.empty()) return {};
  std::vector<record::ObservationRow> rows;
  const Name name(work.tenant, work.name);
  Runs& runs = runs_[name];
  oldest_.erase(runs.row.last);
  const std::string work_class = ClassOf(face.demand);
  if (runs.row.work_class != work_class) runs.row.runs.clear();
  runs.row.tenant = work.tenant;
  runs.row.name = work.name;
  runs.row.work_class = work_class;
  runs.row.last = event;
  runs.row.runs.push_back(Scale(ran, 1 / Factor(face, speeds_[Index(pool)])));
  if (runs.row.runs.size() > kRunsRemembered) runs.row.runs.erase(runs.row.runs.begin());
  Summarise(runs);
  oldest_[event] = name;
  rows.push_back(runs.row);
  if (runs_.size() > kNames) {
    const auto first = oldest_.begin();
    record::ObservationRow forgotten = runs_.at(first->second).row;
    forgotten.runs.clear();
    rows.push_back(std::move(forgotten));
    runs_.erase(first->second);
    oldest_.erase(first);
  }
  return rows;
}

void Estimator::Restore(const record::ObservationRow& row) {
  if (row.runs.empty()) return;
  Runs& runs = runs_[Name(row.tenant, row.name)];
  runs.row = row;
  Summarise(runs);
  oldest_[row.last] = Name(row.tenant, row.name);
}

bool Estimator::Knows(const Work& work) const {
  const Runs* runs = Find(work);
  return runs != nullptr && runs->row.runs.size() >= kRunsBeforeObserved;
}

std::uint64_t Estimator::VersionOf(const Work& work) const {
  const Runs* runs = Find(work);
  return runs ? runs->version : 0;
}

}  // namespace spillway
