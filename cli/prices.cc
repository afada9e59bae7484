#include <algorithm>
#include <iostream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/exit_code.h"
#include "cli/job_document.h"
#include "cli/reading.h"
#include "cli/table.h"
#include "cli/this_host.h"
#include "core/explain.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/catalog_file.h"
#include "formats/config_file.h"
#include "formats/findings.h"
#include "formats/pool_text.h"
#include "formats/units.h"

namespace spillway::cli {
namespace {

// One line of the list: what a pool's price is, and since when.
struct Shown {
  std::string pool, billing, since, until, as_of, source;
  std::optional<Usd> node_hour, input, output;
};

Table PriceTable() {
  return Table({{"POOL"},
                {"BILLING"},
                {"NODE HOUR", Align::kRight},
                {"IN/MTOK", Align::kRight},
                {"OUT/MTOK", Align::kRight},
                {"SINCE"},
                {"UNTIL"},
                {"AS OF"},
                {"SOURCE", Align::kLeft, Squeeze::kWrap}});
}

void AddTo(Table& table, const Shown& s) {
  table.Add({s.pool, s.billing, ShowMoney(s.node_hour), ShowMoney(s.input), ShowMoney(s.output),
             OrDash(s.since), OrDash(s.until), OrDash(s.as_of), OrDash(s.source)});
}

Value ToValue(const Shown& s) {
  Value value = Value::MakeMap();
  const auto money = [&](const char* key, std::optional<Usd> amount) {
    value.Set(key, amount ? Value::MakeString(Decimal(*amount)) : Value());
  };
  const auto text = [&](const char* key, const std::string& words) {
    value.Set(key, words.empty() ? Value() : Value::MakeString(words));
  };
  text("pool", s.pool);
  text("billing", s.billing);
  money("node_hour_usd", s.node_hour);
  money("input_usd_per_mtoken", s.input);
  money("output_usd_per_mtoken", s.output);
  text("since", s.since);
  text("until", s.until);
  text("as_of", s.as_of);
  text("source", s.source);
  return value;
}

int Show(const std::vector<Shown>& all, Console& console) {
  if (console.for_people()) {
    Table table = PriceTable();
    for (const Shown& shown : all) AddTo(table, shown);
    console.out << table.Render(console.screen);
    return kExitOk;
  }
  Value list = Value::MakeMap();
  list.Set("object", Value::MakeString("list"));
  Value& data = list.Set("data", Value::MakeList());
  for (const Shown& shown : all) data.Append(ToValue(shown));
  console.Print(list);
  return kExitOk;
}

template <class Rate>
std::optional<Usd> AsUsd(const std::optional<Rate>& rate) {
  return rate ? std::optional(Usd(rate->value())) : std::nullopt;
}

// The price in force at `at`: the pool's own, or the last of the list that has begun.
Shown InForce(const PoolSpec& pool, const PricesSpec& prices, absl::Time at) {
  Shown shown{.pool = pool.name, .billing = std::string(NameOf(pool.billing))};
  Price price = pool.price;
  for (const PriceChange& change : prices.prices) {
    if (change.pool != pool.name) continue;
    if (change.from > at) {
      if (shown.until.empty()) shown.until = Format(change.from);
      continue;
    }
    price = change.price;
    shown.since = Format(change.from);
    shown.until.clear();
  }
  price = AsWritten(price, pool.adapter.speedup);
  shown.node_hour = AsUsd(price.node_hour);
  shown.input = AsUsd(price.input);
  shown.output = AsUsd(price.output);
  shown.as_of = price.as_of;
  shown.source = price.source;
  return shown;
}

absl::StatusOr<LoadedConfig> ConfigOf(const Invocation& args) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string folder,
                            CatalogFolder(std::string(args.Get("--catalog"))));
  SPILLWAY_ASSIGN_OR_RETURN(const Catalog catalog, LoadCatalog(folder));
  return LoadConfig(std::string(args.Get("--config")), catalog, MachineHere());
}

}  // namespace

int ListPricesHere(const Invocation& args, Console& console) {
  absl::Time at = absl::Now();
  if (args.Has("--as-of")) {
    const auto text = Instant(args.Get("--as-of"), at, -1);
    if (!text.ok()) return console.Fail(Annotate(text.status(), "--as-of"));
    const auto time = ParseTime(*text);
    if (!time.ok()) return console.Fail(Annotate(time.status(), "--as-of"));
    at = *time;
  }
  const auto loaded = ConfigOf(args);
  if (!loaded.ok()) return console.Fail(loaded.status());
  std::vector<Shown> all;
  for (const PoolSpec& pool : loaded->config.fleet.pools)
    all.push_back(InForce(pool, loaded->config.prices, at));
  return Show(all, console);
}

int ListPricesThere(const Invocation& args, Api& api, Console& console) {
  if (args.Has("--as-of"))
    return console.Fail(absl::InvalidArgumentError(
        "--as-of needs --config: a running controller tells what is in force"));
  const auto answer = api.Get("/api/v1/pools");
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  std::vector<Shown> all;
  for (const Value& pool : ListAt(answer->body, {"data"})) {
    all.push_back({.pool = TextAt(pool, {"name"}),
                   .billing = TextAt(pool, {"billing"}),
                   .since = "",
                   .until = "",
                   .as_of = TextAt(pool, {"price", "as_of"}),
                   .source = TextAt(pool, {"price", "source"}),
                   .node_hour = MoneyAt(pool, {"price", "node_hour_usd"}),
                   .input = MoneyAt(pool, {"price", "input_usd_per_mtoken"}),
                   .output = MoneyAt(pool, {"price", "output_usd_per_mtoken"})});
  }
  return Show(all, console);
}

int CheckPrices(const Invocation& args, Console& console) {
  const auto loaded = ConfigOf(args);
  if (!loaded.ok()) return console.Fail(loaded.status());
  const std::string& file = args.operands.front();
  const auto text = ReadDocument(file);
  if (!text.ok()) return console.Fail(text.status());
  const auto prices = ParsePrices(*text, loaded->config.fleet, file);
  if (!prices.ok()) {
    const auto findings = FindingsOf(prices.status());
    for (const InputFinding& finding : findings) console.Complain(Describe(finding, file));
    if (findings.empty()) console.Complain(ToStd(prices.status().message()));
    return kExitFindings;
  }
  console.err << file << ": nothing wrong\n";
  return kExitOk;
}

}  // namespace spillway::cli
