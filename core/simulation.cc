#include "core/simulation.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace spillway {

std::string Simulation::IdOf(std::uint64_t number) { return absl::StrFormat("sim-%06d", number); }

std::optional<std::uint64_t> ParseSimulationId(const std::string& text) {
  constexpr std::size_t kPrefix = 4, kMostDigits = 15;
  if (!text.starts_with("sim-") || text.size() > kPrefix + kMostDigits) return std::nullopt;
  const std::string digits = text.substr(kPrefix);
  std::uint64_t number = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return std::nullopt;
  if (!absl::SimpleAtoi(digits, &number) || number == 0) return std::nullopt;
  // One name for each: sim-1 would be another one for sim-000001.
  return absl::StrFormat("sim-%06d", number) == text ? std::optional(number) : std::nullopt;
}

}  // namespace spillway
