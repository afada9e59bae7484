#include "controller/metrics/ledger_check.h"

#include <utility>

#include "absl/time/clock.h"

namespace spillway {
namespace {

std::int64_t Distance(Usd a, Usd b) {
  return a < b ? b.value() - a.value() : a.value() - b.value();
}

}  // namespace

CostProjection::Rows Differing(const std::vector<record::LedgerRow>& kept,
                               const CostProjection::Rows& before,
                               const CostProjection::Rows& after) {
  CostProjection::Rows disk;
  for (const record::LedgerRow& row : kept) disk.emplace(CostProjection::KeyOf(row), row);
  for (const auto& [key, row] : before) disk.try_emplace(key);
  CostProjection::Rows differing;
  for (const auto& [key, row] : disk) {
    const auto was = before.find(key), is = after.find(key);
    const record::LedgerRow then = was != before.end() ? was->second : record::LedgerRow{};
    const record::LedgerRow now = is != after.end() ? is->second : record::LedgerRow{};
    if (then == now && (row.cost != now.cost || row.compared_cost != now.compared_cost ||
                        row.baseline_cost != now.baseline_cost || row.energy != now.energy ||
                        row.carbon != now.carbon))
      differing.emplace(key, row);
  }
  return differing;
}

LedgerCheck::LedgerCheck(Options options, Archive& archive, Projected projected)
    : options_(options), archive_(archive), projected_(std::move(projected)) {}

LedgerCheck::~LedgerCheck() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool LedgerCheck::Sleep(absl::Duration span) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, absl::ToChronoNanoseconds(span), [this] { return ending_; });
}

void LedgerCheck::Start() {
  thread_ = std::thread([this] {
    while (Sleep(options_.period)) Check();
  });
}

CostProjection::Rows LedgerCheck::Look() {
  const CostProjection::Rows before = projected_();
  if (before.empty()) return {};
  const absl::Time from = std::get<0>(before.begin()->first);
  const auto kept = archive_.Ledger({.from = from});
  if (!kept.ok()) return {};
  return Differing(*kept, before, projected_());
}

// A row may have been committed and not yet counted; then it is right at the second look.
void LedgerCheck::Check() {
  const CostProjection::Rows first = Look();
  Result result;
  if (!first.empty()) {
    if (!Sleep(options_.second_look)) return;
    const CostProjection::Rows counted = projected_();
    for (const auto& [key, row] : Look()) {
      if (!first.contains(key)) continue;
      const auto found = counted.find(key);
      const Usd ours = found != counted.end() ? found->second.cost : Usd{};
      ++result.rows;
      result.difference += Usd(Distance(row.cost, ours));
    }
  }
  const std::lock_guard lock(mutex_);
  result.checks = last_ ? last_->checks + 1 : 1;
  last_ = result;
}

std::optional<LedgerCheck::Result> LedgerCheck::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace spillway
