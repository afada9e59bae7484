#include "policies/claim_orders/selectors.h"

#include <functional>

#include "policies/claim_orders/arrange.h"
#include "policies/rules.h"

namespace spillway {
namespace {

struct Key {
  bool backstop = false;
  std::size_t selector = 0;
  bool unpriced = false;
  auto operator<=>(const Key&) const = default;
};

}  // namespace

void SelectorsOrder::Arrange(const Work&, absl::Span<const Claimant> claimants, std::uint64_t,
                             std::vector<Claim>& out) const {
  const auto key_of = [&](const Claimant& c) {
    return Key{.backstop = backstop_ && backstop_->Matches(*c.spec),
               .selector = FirstMatch(selectors_, *c.spec),
               .unpriced = !c.marginal_cost};
  };
  ArrangeBy(claimants, key_of, std::equal_to<>(), out);
}

}  // namespace spillway
