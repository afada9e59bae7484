#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/reading.h"
#include "cli/table.h"
#include "core/explain.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

// "6/8": free of what the nodes that are up have; a dash where they have none.
std::string FreeOf(const Value& pool, std::string_view what) {
  const auto free = NumberAt(pool, {"free", what}), total = NumberAt(pool, {"total", what});
  if (!free || !total || *total == 0) return std::string(kUnknown);
  if (what != "memory") return absl::StrFormat("%.4g/%.4g", *free, *total);
  const auto bytes = [](double value) { return Describe(Bytes(static_cast<std::int64_t>(value))); };
  return absl::StrCat(bytes(*free), "/", bytes(*total));
}

std::string PriceOf(const Value& pool) {
  if (const auto hour = MoneyAt(pool, {"price", "node_hour_usd"}))
    return absl::StrCat(ShowMoney(hour), "/h");
  const auto tokens = MoneyAt(pool, {"price", "input_usd_per_mtoken"});
  return tokens ? absl::StrCat(ShowMoney(tokens), "/Mtoken") : std::string(kUnknown);
}

std::string Joined(const Value& pool, KeyPath path) {
  return absl::StrJoin(ListAt(pool, path), " ", [](std::string* out, const Value& item) {
    absl::StrAppend(out, item.text());
  });
}

std::string PoolsTable(const Value::List& pools, const Screen& screen, bool wide) {
  std::vector<Column> columns = {{"POOL"},
                                 {"KIND"},
                                 {"DEVICE", Align::kLeft, Squeeze::kCut},
                                 {"STATE"},
                                 {"NODES", Align::kRight},
                                 {"FREE CPUS", Align::kRight},
                                 {"MEMORY", Align::kRight},
                                 {"DEVICES", Align::kRight},
                                 {"JOBS", Align::kRight},
                                 {"BILLING"},
                                 {"NODE", Align::kRight},
                                 {"HARDWARE"}};
  if (wide)
    columns.insert(columns.end(),
                   {{"VENDOR"}, {"SITE"}, {"ADAPTER"}, {"LIMITS", Align::kLeft, Squeeze::kWrap}});
  Table table(std::move(columns));
  for (const Value& pool : pools) {
    const std::string state = TextAt(pool, {"state"});
    const bool modelled = FlagAt(pool, {"modelled"});
    std::vector<Cell> row = {
        {TextAt(pool, {"name"}), Tone::kStrong},
        TextAt(pool, {"kind"}),
        OrDash(TextAt(pool, {"device"})),
        {state, state == "active" ? Tone::kGood : Tone::kCare},
        absl::StrCat(TextAt(pool, {"nodes_up"}), "/", TextAt(pool, {"nodes"})),
        FreeOf(pool, "cpus"),
        FreeOf(pool, "memory"),
        FreeOf(pool, "devices"),
        OrDash(TextAt(pool, {"running"})),
        TextAt(pool, {"billing"}),
        PriceOf(pool),
        {modelled ? "modelled" : "real", modelled ? Tone::kDim : Tone::kPlain}};
    if (wide) {
      row.insert(row.end(),
                 {OrDash(TextAt(pool, {"vendor"})), OrDash(TextAt(pool, {"site", "name"})),
                  OrDash(TextAt(pool, {"adapter", "type"})), OrDash(Joined(pool, {"limits"}))});
    }
    table.Add(std::move(row));
  }
  return table.Render(screen);
}

}  // namespace

int ShowPools(const Invocation& args, Api& api, Console& console) {
  const bool one = !args.operands.empty();
  const auto answer = api.Get(one ? absl::StrCat("/api/v1/pools/", Encoded(args.operands.front()))
                                  : "/api/v1/pools");
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (!console.for_people()) {
    console.Print(answer->body);
    return kExitOk;
  }
  console.out << PoolsTable(one ? Value::List{answer->body} : ListAt(answer->body, {"data"}),
                            console.screen, console.wide());
  return kExitOk;
}

int SetPoolState(const Invocation& args, Api& api, Console& console) {
  const std::string& pool = args.operands.front();
  const std::string_view verb = args.command->path.substr(args.command->path.find(' ') + 1);
  const auto answer =
      api.Send(Method::kPost, absl::StrCat("/api/v1/pools/", Encoded(pool), "/", ToAbsl(verb)));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (console.for_people())
    console.err << pool << " is " << OrDash(TextAt(answer->body, {"state"})) << "\n";
  else
    console.Print(answer->body);
  return kExitOk;
}

}  // namespace spillway::cli
