#include "scheduler/amounts.h"

#include "performance/power.h"
#include "performance/share.h"

namespace spillway {

Amounts& Amounts::operator+=(const Amounts& other) {
  cost += other.cost;
  marginal += other.marginal;
  energy += other.energy;
  idle_energy += other.idle_energy;
  carbon += other.carbon;
  return *this;
}

Amounts& Amounts::operator-=(const Amounts& other) {
  cost -= other.cost;
  marginal -= other.marginal;
  energy -= other.energy;
  idle_energy -= other.idle_energy;
  carbon -= other.carbon;
  return *this;
}

bool IsPriced(const PoolSpec& pool, const Price& price) {
  const bool by_the_hour = pool.billing == Billing::kMetered || pool.billing == Billing::kCommitted;
  return by_the_hour && price.node_hour.has_value();
}

UsdPerHour RateOf(const PoolSpec& pool, const Price& price, const Needs& needs) {
  if (!IsPriced(pool, price)) return {};
  const Holding held = HoldingOf(pool, needs);
  return Scale(*price.node_hour, held.share) * held.nodes;
}

Amounts AmountsOf(const PoolSpec& pool, const Price& price, const Needs& needs,
                  absl::Duration held) {
  const Holding holding = HoldingOf(pool, needs);
  const Footprint footprint = FootprintOf(pool, holding, held);
  Amounts amounts{.energy = footprint.energy,
                  .idle_energy = footprint.energy - footprint.dynamic,
                  .carbon = footprint.carbon};
  if (!IsPriced(pool, price)) return amounts;
  amounts.cost = RateOf(pool, price, needs) * held;
  amounts.marginal = pool.billing == Billing::kCommitted ? footprint.energy_cost : amounts.cost;
  return amounts;
}

}  // namespace spillway
