#include "policies/claim_orders/random.h"

#include <xxhash.h>

#include <array>
#include <functional>

#include "policies/claim_orders/arrange.h"

namespace spillway {
namespace {

struct Key {
  bool backstop = false;
  std::uint64_t lot = 0;
  auto operator<=>(const Key&) const = default;
};

// Bytes in little-endian order, so that the lot is the same everywhere.
std::uint64_t LotOf(std::uint64_t seed, std::uint64_t draw, PoolId pool) {
  const std::array<std::uint64_t, 3> words{seed, draw, Index(pool)};
  std::array<unsigned char, 24> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(words[i / 8] >> (i % 8 * 8));
  return XXH64(bytes.data(), bytes.size(), 0);
}

}  // namespace

void RandomOrder::Arrange(const Work&, absl::Span<const Claimant> claimants, std::uint64_t draw,
                          std::vector<Claim>& out) const {
  const auto key_of = [&](const Claimant& c) {
    return Key{.backstop = backstop_ && backstop_->Matches(*c.spec),
               .lot = LotOf(seed_, draw, c.pool)};
  };
  ArrangeBy(claimants, key_of, std::equal_to<>(), out);
}

}  // namespace spillway
