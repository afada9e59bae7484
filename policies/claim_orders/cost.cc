#include "policies/claim_orders/cost.h"

#include "policies/claim_orders/arrange.h"

namespace spillway {
namespace {

enum class Payment : std::uint8_t { kCommitted, kRented, kUnpriced };

struct Key {
  bool backstop = false;
  Payment payment = Payment::kUnpriced;
  std::int64_t ops = 0, memory = 0;  // capability: only told apart where the pool is paid for
  std::int64_t cost = 0;             // nano-dollars
  auto operator<=>(const Key&) const = default;
};

Payment PaymentOf(const Claimant& c) {
  if (!c.marginal_cost) return Payment::kUnpriced;
  return c.spec->billing == Billing::kCommitted ? Payment::kCommitted : Payment::kRented;
}

Key KeyOf(const Claimant& c, bool backstop) {
  Key key{.backstop = backstop, .payment = PaymentOf(c)};
  if (key.payment == Payment::kCommitted) {
    key.ops = units_internal::Round(c.spec->peak_ops);
    key.memory = c.spec->node.memory.value();
  }
  if (c.marginal_cost) key.cost = c.marginal_cost->value();
  return key;
}

}  // namespace

void CostOrder::Arrange(const Work&, absl::Span<const Claimant> claimants, std::uint64_t,
                        std::vector<Claim>& out) const {
  const auto key_of = [&](const Claimant& c) {
    return KeyOf(c, backstop_ && backstop_->Matches(*c.spec));
  };
  const auto tied = [&](const Key& first, Key next) {
    const bool within_band = Usd(next.cost) <= Scale(Usd(first.cost), 1 + band_);
    next.cost = first.cost;
    return within_band && next == first;
  };
  ArrangeBy(claimants, key_of, tied, out);
}

}  // namespace spillway
