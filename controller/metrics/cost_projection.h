#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "controller/metrics/label_cap.h"
#include "core/record.h"

namespace spillway {

// The ledger summed over all hours, as counters want it. Rows of the ledger are written over again
// as their hour goes on, so each row adds what it has grown by. Sums are exact integers; they
// become doubles only when they are exported. Not thread-safe.
class CostProjection {
 public:
  struct Money {
    Usd cost{}, compared{}, baseline{};
  };
  struct Matter {
    Joules energy{};
    GramsCo2e carbon{};
  };
  using Key = std::tuple<std::string, std::string, record::Category>;  // pool, tenant, category
  using Rows = std::map<record::LedgerKey, record::LedgerRow>;
  static record::LedgerKey KeyOf(const record::LedgerRow& row) { return record::KeyOf(row); }

  explicit CostProjection(LabelCap& tenants) : tenants_(tenants) {}

  // `pool`: its name.
  void Add(const record::LedgerRow& row, const std::string& pool);

  const std::map<Key, Money>& money() const { return money_; }
  const std::map<std::string, Matter>& matter() const { return matter_; }
  // As last added, of hours that may still grow.
  const Rows& open() const { return open_; }

 private:
  void Forget(absl::Time before);

  LabelCap& tenants_;
  std::map<Key, Money> money_;
  std::map<std::string, Matter> matter_;
  Rows open_;
  absl::Time latest_ = absl::InfinitePast();
};

}  // namespace spillway
