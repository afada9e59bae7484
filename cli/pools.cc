#include <cstdint>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/reading.h"
#include "cli/table.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kRoomForAll = 115;  // columns

// "6/8": free of what the nodes that are up have; a dash where they have none to give.
std::string FreeOf(const Value& pool, std::string_view what) {
  if (TextAt(pool, {"adapter", "type"}) == "openai") return std::string(kUnknown);  // runs no jobs
  const auto free = NumberAt(pool, {"free", what}), total = NumberAt(pool, {"total", what});
  if (!free || !total || *total == 0) return std::string(kUnknown);
  if (what != "memory") return absl::StrFormat("%.4g/%.4g", *free, *total);
  constexpr double kGib = 1 << 30;
  return absl::StrFormat("%.3g/%.3g GiB", *free / kGib, *total / kGib);
}

std::string PriceOf(const Value& pool) {
  if (const auto hour = MoneyAt(pool, {"price", "node_hour_usd"}))
    return absl::StrCat(ShowMoney(hour), "/h");
  const auto tokens = MoneyAt(pool, {"price", "input_usd_per_mtoken"});
  return tokens ? absl::StrCat(ShowMoney(tokens), "/Mtoken") : std::string(kUnknown);
}

// "real", "modelled", "modelled 20x": such a pool is 20 times as fast, as dear and as thirsty.
Cell HardwareOf(const Value& pool) {
  if (!FlagAt(pool, {"modelled"})) return "real";
  const auto speedup = NumberAt(pool, {"adapter", "speedup"});
  if (!speedup || *speedup == 1) return {"modelled", Tone::kDim};
  return {absl::StrFormat("modelled %.4gx", *speedup), Tone::kDim};
}

std::string Joined(const Value& pool, KeyPath path) {
  return absl::StrJoin(ListAt(pool, path), " ", [](std::string* out, const Value& item) {
    absl::StrAppend(out, item.text());
  });
}

struct PoolColumn {
  Column column;
  std::function<Cell(const Value& pool)> cell;
  enum class When : std::uint8_t { kAlways, kRoomy, kWide } when = When::kAlways;
};

Cell StateOf(const Value& pool) {
  const std::string state = TextAt(pool, {"state"});
  return {state, state == "active" ? Tone::kGood : Tone::kCare};
}

std::vector<PoolColumn> PoolColumns() {
  using When = PoolColumn::When;
  const auto text = [](std::string_view key) {
    return [key](const Value& pool) { return Cell(OrDash(TextAt(pool, {key}))); };
  };
  const auto free_of = [](std::string_view what) {
    return [what](const Value& pool) { return Cell(FreeOf(pool, what)); };
  };
  return {
      {{"POOL"}, [](const Value& pool) { return Cell(TextAt(pool, {"name"}), Tone::kStrong); }},
      {{"KIND"}, text("kind"), When::kRoomy},
      {{"DEVICE", Align::kLeft, Squeeze::kCut}, text("device")},
      {{"STATE"}, StateOf},
      {{"NODES", Align::kRight},
       [](const Value& pool) {
         return Cell(absl::StrCat(TextAt(pool, {"nodes_up"}), "/", TextAt(pool, {"nodes"})));
       },
       When::kRoomy},
      {{"FREE CPUS", Align::kRight}, free_of("cpus")},
      {{"MEMORY", Align::kRight}, free_of("memory"), When::kRoomy},
      {{"DEVICES", Align::kRight}, free_of("devices")},
      {{"JOBS", Align::kRight}, text("running"), When::kWide},
      {{"BILLING"}, text("billing")},
      {{"NODE", Align::kRight}, [](const Value& pool) { return Cell(PriceOf(pool)); }},
      {{"HARDWARE"}, HardwareOf},
      {{"VENDOR"}, text("vendor"), When::kWide},
      {{"SITE"},
       [](const Value& pool) {
         return Cell(OrDash(TextAt(pool, {"site", "name"})));
       },
       When::kWide},
      {{"LIMITS", Align::kLeft, Squeeze::kWrap},
       [](const Value& pool) { return Cell(OrDash(Joined(pool, {"limits"}))); },
       When::kWide},
  };
}

std::string PoolsTable(const Value::List& pools, const Screen& screen, bool wide) {
  std::vector<PoolColumn> shown;
  for (PoolColumn& column : PoolColumns()) {
    const bool roomy = wide || screen.width == 0 || screen.width >= kRoomForAll;
    if (column.when == PoolColumn::When::kWide ? wide
                                               : column.when == PoolColumn::When::kAlways || roomy)
      shown.push_back(std::move(column));
  }
  std::vector<Column> columns;
  columns.reserve(shown.size());
  for (const PoolColumn& column : shown) columns.push_back(column.column);
  Table table(std::move(columns));
  for (const Value& pool : pools) {
    std::vector<Cell> row;
    row.reserve(shown.size());
    for (const PoolColumn& column : shown) row.push_back(column.cell(pool));
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
