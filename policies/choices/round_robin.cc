#include "policies/choices/round_robin.h"

namespace spillway {

std::size_t RoundRobinChoice::Pick(absl::Span<const Option> options, std::uint64_t turn) const {
  return static_cast<std::size_t>(turn % options.size());
}

}  // namespace spillway
