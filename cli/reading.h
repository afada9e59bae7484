#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/units.h"
#include "formats/value.h"

// Reads the API's answers leniently: a newer server may say more than we know, and what is missing
// is shown as unknown.
namespace spillway::cli {

using KeyPath = std::initializer_list<std::string_view>;

// Null if a key is missing on the way, or the value itself is null.
const Value* ValueAt(const Value& from, KeyPath path);
// Strings as they are, numbers and booleans as written; "" for anything else.
std::string TextAt(const Value& from, KeyPath path);
std::optional<double> NumberAt(const Value& from, KeyPath path);
std::optional<Usd> MoneyAt(const Value& from, KeyPath path);  // a decimal string
std::optional<absl::Time> TimeAt(const Value& from, KeyPath path);
bool FlagAt(const Value& from, KeyPath path);
// The items of a list, empty if there is none.
const Value::List& ListAt(const Value& from, KeyPath path);

// The name of a pool as tables show it: with a star if its hardware is modelled. `at` has `pool`
// and `modelled`.
std::string PoolText(const Value& at);
inline constexpr std::string_view kModelledNote =
    "* modelled: its commands ran here; device, price and speed are pretended";

// Figures for tables. Unknown ones are a dash.
inline constexpr std::string_view kUnknown = "-";
// "$0.001190", "$12.50": four places at least below a cent, so that columns can be compared.
std::string ShowMoney(std::optional<Usd> money);
std::string ShowSeconds(std::optional<double> seconds);  // "0 s", "95 s", "1.5 h"
std::string ShowEnergy(double joules);                   // "300 J", "18.7 Wh", "1.20 kWh"
// How long ago: "12 s", "3 min", "2.5 h".
std::string ShowAge(std::optional<absl::Time> then, absl::Time now);
std::string OrDash(std::string text);

}  // namespace spillway::cli
