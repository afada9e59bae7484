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

constexpr std::size_t kCostColumn = 5, kEnergyColumn = 9;

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

// What stood idle or was lost has no other side: only the work is compared.
struct Sums {
  Usd work{}, idle{}, overhead{};
};
Sums SumsOf(const Value& report) {
  Sums sums;
  for (const Value& row : ListAt(report, {"rows"})) {
    const std::string category = TextAt(row, {"category"});
    Usd& sum = category == "idle" ? sums.idle : category == "overhead" ? sums.overhead : sums.work;
    sum = sum + MoneyAt(row, {"cost_usd"}).value_or(Usd());
  }
  return sums;
}

void AddSums(Table& table, const Value& report, const Value& totals) {
  const Sums sums = SumsOf(report);
  auto work = LedgerCells(totals, {{"all work", Tone::kStrong}, "", "", ""}, Tone::kStrong);
  work[kCostColumn] = Cell(ShowMoney(sums.work), Tone::kStrong);
  work[kEnergyColumn] = Cell("");
  table.Add(std::move(work));
  const auto only = [&](const char* name, Usd money, Tone tone) {
    std::vector<Cell> cells(kEnergyColumn + 1, Cell(""));
    cells[0] = Cell(name, tone);
    cells[kCostColumn] = Cell(ShowMoney(money), tone);
    return cells;
  };
  if (sums.overhead != Usd()) table.Add(only("overhead", sums.overhead, Tone::kDim));
  if (sums.idle != Usd()) table.Add(only("idle", sums.idle, Tone::kDim));
  auto bill = only("the bill", MoneyAt(totals, {"cost_usd"}).value_or(Usd()), Tone::kStrong);
  bill[kEnergyColumn] = Cell(Energy(totals), Tone::kStrong);
  table.AddRule();
  table.Add(std::move(bill));
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
  if (const Value* totals = ValueAt(report, {"totals"})) AddSums(table, report, *totals);
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
    console.out << without << (without == "1" ? " piece" : " pieces")
                << " of work had no NVIDIA pool to compare with: left out of both sides of the "
                   "saving.\n";
  return kExitOk;
}

}  // namespace spillway::cli
