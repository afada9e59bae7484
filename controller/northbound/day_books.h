#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/record.h"

namespace spillway {

// What one tenant paid for within a day: sums of ledger rows.
struct TenantBooks {
  Usd cost{};                           // work that went well or failed by its own fault, allocated
  Usd overhead{};                       // attempts that were lost through no fault of the work
  Usd compared{}, baseline{};           // both sides of the saving
  std::int64_t jobs = 0, requests = 0;  // that ended
  std::int64_t without_baseline = 0;    // of those

  void Add(const TenantBooks& other);
  friend bool operator==(const TenantBooks&, const TenantBooks&) = default;
};

// The ledger of one UTC day up to an instant, added up as the dashboard shows it. A plain value.
struct DayBooks {
  absl::Time since;  // start of the day
  absl::Time at;
  std::map<std::string, TenantBooks> tenants;
  std::vector<Usd> pools;  // the whole bill, idle included; by PoolId, as far as there are rows
  Usd idle{};

  void Add(const record::LedgerRow& row);
  // All tenants, or one of them.
  TenantBooks Sum(const std::optional<std::string>& tenant) const;
  // Of `pool`; zero if nothing was booked there.
  Usd BillOf(PoolId pool) const { return Index(pool) < pools.size() ? pools[Index(pool)] : Usd(); }
};

// What a rate of money between two instants is: none if they are of two days, or too close.
std::optional<UsdPerHour> RateBetween(Usd before, Usd after, absl::Duration between);

}  // namespace spillway
