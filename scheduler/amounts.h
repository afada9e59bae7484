#pragma once

#include "absl/time/time.h"
#include "core/pool.h"
#include "core/units.h"
#include "core/work.h"

namespace spillway {

// What holding a part of a pool for a while comes to, in both books.
struct Amounts {
  Usd cost{};            // allocated: node rate x share x nodes x held, rounded once
  Usd marginal{};        // metered: the same; committed: dynamic energy x PUE x tariff
  Joules energy{};       // at the node
  Joules idle_energy{};  // of it: idle watts of devices held whole
  GramsCo2e carbon{};    // with PUE

  Amounts& operator+=(const Amounts& other);
  Amounts& operator-=(const Amounts& other);
  friend Amounts operator+(Amounts a, const Amounts& b) { return a += b; }
  friend Amounts operator-(Amounts a, const Amounts& b) { return a -= b; }
  friend bool operator==(const Amounts&, const Amounts&) = default;
};

// Is a price known that work could be charged by?
bool IsPriced(const PoolSpec& pool, const Price& price);
// Of all that the work holds, nodes of a gang together; zero where the price is not known.
UsdPerHour RateOf(const PoolSpec& pool, const Price& price, const Needs& needs);
Amounts AmountsOf(const PoolSpec& pool, const Price& price, const Needs& needs,
                  absl::Duration held);

}  // namespace spillway
