#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/job_document.h"
#include "cli/reading.h"
#include "cli/saving.h"
#include "cli/table.h"
#include "core/status.h"

namespace spillway::cli {
namespace {

absl::StatusOr<std::string> Query(const Invocation& args) {
  std::string query = "?";
  for (const auto& [option, name] : {std::pair("--from", "from"), std::pair("--until", "until")}) {
    if (!args.Has(option)) continue;
    // A span counts back from now.
    const auto instant = Instant(args.Get(option), absl::Now(), -1);
    if (!instant.ok()) return Annotate(instant.status(), option);
    absl::StrAppend(&query, name, "=", Encoded(*instant), "&");
  }
  if (args.Has("--pool")) absl::StrAppend(&query, "pool=", Encoded(args.Get("--pool")), "&");
  query.pop_back();
  return query;
}

std::string Energy(const Value& row) {
  const auto joules = NumberAt(row, {"energy_joules"});
  return joules ? ShowEnergy(*joules) : std::string(kUnknown);
}

std::vector<Cell> LedgerCells(const Value& row, std::vector<Cell> names, Tone tone) {
  const auto compared = MoneyAt(row, {"saving", "cost_usd"}),
             baseline = MoneyAt(row, {"saving", "baseline_cost_usd"});
  const bool comparable = baseline && baseline->value() > 0;
  names.insert(names.end(),
               {{OrDash(TextAt(row, {"ended"})), tone},
                {ShowMoney(MoneyAt(row, {"cost_usd"})), tone},
                {ShowMoney(MoneyAt(row, {"marginal_cost_usd"})), tone},
                {comparable ? ShowMoney(baseline) : std::string(kUnknown), tone},
                {comparable ? SavedPercent(*compared, *baseline) : std::string(kUnknown),
                 !comparable              ? Tone::kDim
                 : *compared <= *baseline ? Tone::kGood
                                          : Tone::kBad},
                {Energy(row), tone}});
  return names;
}

std::string LedgerTable(const Value& report, const Screen& screen) {
  Table table({{"HOUR"},
               {"POOL"},
               {"TENANT"},
               {"FOR"},
               {"ENDED", Align::kRight},
               {"COST", Align::kRight},
               {"MARGINAL", Align::kRight},
               {"ON NVIDIA", Align::kRight},
               {"SAVED", Align::kRight},
               {"ENERGY", Align::kRight}});
  for (const Value& row : ListAt(report, {"rows"})) {
    const std::string category = TextAt(row, {"category"});
    const Tone tone = category == "work" ? Tone::kPlain : Tone::kDim;
    const std::string hour = TextAt(row, {"hour"});
    table.Add(LedgerCells(
        row,
        {{hour.size() > 16 ? hour.substr(0, 10) + " " + hour.substr(11, 5) : OrDash(hour), tone},
         {PoolText(row), tone},
         {OrDash(TextAt(row, {"tenant"})), tone},
         {OrDash(category), tone}},
        tone));
  }
  table.AddRule();
  if (const Value* totals = ValueAt(report, {"totals"}))
    table.Add(LedgerCells(*totals, {{"all", Tone::kStrong}, "", "", ""}, Tone::kStrong));
  const auto& rows = ListAt(report, {"rows"});
  const bool any = std::any_of(rows.begin(), rows.end(),
                               [](const Value& row) { return FlagAt(row, {"modelled"}); });
  return table.Render(screen) + (any ? screen.Paint(Tone::kDim, kModelledNote) + "\n" : "");
}

}  // namespace

int ShowLedger(const Invocation& args, Api& api, Console& console) {
  const auto query = Query(args);
  if (!query.ok()) return console.Fail(query.status());
  const auto answer = api.Get(absl::StrCat("/api/v1/ledger", *query));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (!console.for_people()) {
    console.Print(answer->body);
    return kExitOk;
  }
  console.out << LedgerTable(answer->body, console.screen);
  const std::string without = TextAt(answer->body, {"totals", "saving", "without_baseline"});
  if (!without.empty() && without != "0")
    console.out
        << without
        << " jobs had no NVIDIA pool to compare with: left out of both sides of the saving.\n";
  return kExitOk;
}

}  // namespace spillway::cli
