#include "core/ids.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text.h"

namespace spillway {
namespace {

std::optional<std::uint64_t> ParseNumber(std::string_view text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return std::nullopt;
  const std::string_view digits = text.substr(prefix.size());
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  if (!absl::SimpleAtoi(ToAbsl(digits), &number)) return std::nullopt;
  return number;
}

}  // namespace

std::string ToString(JobId id) { return absl::StrFormat("job-%06d", Number(id)); }
std::string ToString(DecisionId id) { return absl::StrFormat("dec-%06d", Number(id)); }

std::string ToString(RequestId id) {
  const std::uint64_t count = Number(id) & ((std::uint64_t{1} << kRequestCountBits) - 1);
  constexpr std::uint64_t kSixDigits = 100'000;
  std::string text = absl::StrCat("req-", Number(id) >> kRequestCountBits, "-");
  for (std::uint64_t least = kSixDigits; least > 1 && count < least; least /= 10)
    text.push_back('0');
  absl::StrAppend(&text, count);
  return text;
}

std::optional<JobId> ParseJobId(std::string_view text) {
  const auto number = ParseNumber(text, "job-");
  return number ? std::optional(JobId{*number}) : std::nullopt;
}
std::optional<DecisionId> ParseDecisionId(std::string_view text) {
  const auto number = ParseNumber(text, "dec-");
  return number ? std::optional(DecisionId{*number}) : std::nullopt;
}

std::optional<RequestId> ParseRequestId(std::string_view text) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto epoch = ParseNumber(text.substr(0, dash), "req-");
  const auto count = ParseNumber(text.substr(dash), "-");
  if (!epoch || !count || *epoch >> (64 - kRequestCountBits) != 0 ||
      *count >> kRequestCountBits != 0)
    return std::nullopt;
  return MakeRequestId(*epoch, *count);
}

}  // namespace spillway
