#include "cli/reading.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_format.h"
#include "core/explain.h"
#include "formats/units.h"

namespace spillway::cli {

const Value* ValueAt(const Value& from, KeyPath path) {
  const Value* at = &from;
  for (const std::string_view key : path) {
    if (!at->is_map()) return nullptr;
    at = at->Find(key);
    if (!at) return nullptr;
  }
  return at->is_null() ? nullptr : at;
}

std::string TextAt(const Value& from, KeyPath path) {
  const Value* value = ValueAt(from, path);
  return value && !value->is_map() && !value->is_list() ? value->text() : "";
}

std::optional<double> NumberAt(const Value& from, KeyPath path) {
  const Value* value = ValueAt(from, path);
  return value && value->is_number() ? std::optional(value->real()) : std::nullopt;
}

std::optional<Usd> MoneyAt(const Value& from, KeyPath path) {
  std::string text = TextAt(from, path);
  if (text.empty()) return std::nullopt;
  // The reader is for what people write and takes no sign; a book may hold a negative rounding row.
  const bool negative = text.front() == '-';
  const auto money = ParseDecimalUsd(negative ? text.substr(1) : text);
  if (!money.ok()) return std::nullopt;
  return negative ? Usd(-money->value()) : *money;
}

std::optional<absl::Time> TimeAt(const Value& from, KeyPath path) {
  const auto time = ParseTime(TextAt(from, path));
  return time.ok() ? std::optional(*time) : std::nullopt;
}

bool FlagAt(const Value& from, KeyPath path) {
  const Value* value = ValueAt(from, path);
  return value && value->kind() == Value::Kind::kBool && value->boolean();
}

const Value::List& ListAt(const Value& from, KeyPath path) {
  static const auto& none = *new Value::List();
  const Value* value = ValueAt(from, path);
  return value && value->is_list() ? value->list() : none;
}

std::string PoolText(const Value& at) {
  const std::string pool = TextAt(at, {"pool"});
  if (pool.empty()) return std::string(kUnknown);
  return FlagAt(at, {"modelled"}) ? pool + "*" : pool;
}

std::string ShowMoney(std::optional<Usd> money) {
  if (!money) return std::string(kUnknown);
  const double dollars = static_cast<double>(money->value()) / 1e9;
  const double size = std::abs(dollars);
  const int places = size >= 10 ? 2 : size >= 0.1 ? 4 : 6;
  const bool is_nothing = places == 6 && size < 0.5e-6;  // "-$0.000000" would be no number
  return absl::StrFormat("%s$%.*f", dollars < 0 && !is_nothing ? "-" : "", places, size);
}

std::string ShowSeconds(std::optional<double> seconds) {
  return seconds ? Describe(absl::Seconds(*seconds)) : std::string(kUnknown);
}

std::string ShowEnergy(double joules) {
  constexpr double kWattHour = 3600, kKilowattHour = 3.6e6;
  if (joules >= kKilowattHour) return absl::StrFormat("%.2f kWh", joules / kKilowattHour);
  if (joules >= kWattHour) return absl::StrFormat("%.1f Wh", joules / kWattHour);
  return absl::StrFormat("%.0f J", joules);
}

std::string ShowAge(std::optional<absl::Time> then, absl::Time now) {
  if (!then) return std::string(kUnknown);
  const absl::Duration age = now - *then;
  if (age < absl::Seconds(1)) return "now";
  return Describe(age < absl::Minutes(2) ? absl::Trunc(age, absl::Seconds(1)) : age);
}

std::string OrDash(std::string text) {
  return text.empty() ? std::string(kUnknown) : std::move(text);
}

}  // namespace spillway::cli
