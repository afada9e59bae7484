#include "cli/costs_table.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/reading.h"
#include "cli/saving.h"
#include "cli/table.h"

namespace spillway::cli {
namespace {

constexpr int kRoomForMatter = 100;  // columns of a screen that shows energy and carbon as well

std::string CountText(const Value& row, std::string_view key) {
  const std::string count = TextAt(row, {key});
  return count.empty() || count == "0" ? std::string(kUnknown) : count;
}

// Which columns there are: the same for every row.
struct Shape {
  std::string title;
  bool idle = false;    // of each row: days and pools have idle time of their own
  bool matter = false;  // energy and carbon
  bool wide = false;    // marginal cost and tokens
};

std::vector<Column> ColumnsOf(const Shape& shape) {
  std::vector<Column> columns = {{absl::AsciiStrToUpper(shape.title), Align::kLeft, Squeeze::kCut},
                                 {"COST", Align::kRight},
                                 {"ON NVIDIA", Align::kRight},
                                 {"SAVED", Align::kRight},
                                 {"", Align::kRight},
                                 {"JOBS", Align::kRight},
                                 {"REQUESTS", Align::kRight}};
  const auto add = [&](const char* title) { columns.push_back({title, Align::kRight}); };
  if (shape.idle) add("IDLE");
  if (shape.wide) {
    add("MARGINAL");
    add("TOKENS");
  }
  if (shape.matter) {
    add("ENERGY");
    add("CO2E");
  }
  return columns;
}

std::string Tokens(const Value& row) {
  const double in = NumberAt(row, {"prompt_tokens"}).value_or(0);
  const double out = NumberAt(row, {"output_tokens"}).value_or(0);
  return in + out > 0 ? absl::StrFormat("%.0f+%.0f", in, out) : std::string(kUnknown);
}

std::string EnergyText(const Value& row) {
  const auto joules = NumberAt(row, {"energy_joules"});
  return joules ? ShowEnergy(*joules) : std::string(kUnknown);
}
std::string CarbonText(const Value& row) {
  const auto grams = NumberAt(row, {"carbon_grams"});
  return grams ? ShowCarbon(*grams) : std::string(kUnknown);
}

// A row of work. Energy of a sum holds that of idle time, and is left to the bill.
std::vector<Cell> CellsOf(const Shape& shape, const Value& row, Cell title, Tone tone,
                          bool is_sum = false) {
  const auto saved = MoneyAt(row, {"saved_usd"}), baseline = MoneyAt(row, {"baseline_usd"});
  const auto compared = MoneyAt(row, {"compared_cost_usd"});
  const bool both = saved && baseline && compared && baseline->value() > 0;
  const Tone how = !both ? Tone::kDim : saved->value() >= 0 ? Tone::kGood : Tone::kBad;
  std::vector<Cell> cells = {
      std::move(title),
      {ShowMoney(MoneyAt(row, {"cost_usd"})), tone},
      {both ? ShowMoney(baseline) : std::string(kUnknown), both ? tone : Tone::kDim},
      {both ? ShowMoney(saved) : std::string(kUnknown), how},
      {both ? SavedPercent(*compared, *baseline) : "", how},
      {CountText(row, "jobs"), tone},
      {CountText(row, "requests"), tone}};
  if (shape.idle) cells.emplace_back(ShowMoney(MoneyAt(row, {"idle_usd"})), Tone::kDim);
  if (shape.wide) {
    cells.emplace_back(ShowMoney(MoneyAt(row, {"marginal_cost_usd"})), tone);
    cells.emplace_back(Tokens(row), tone);
  }
  if (shape.matter) {
    cells.emplace_back(is_sum ? "" : EnergyText(row), tone);
    cells.emplace_back(is_sum ? "" : CarbonText(row), tone);
  }
  return cells;
}

// What no work is charged for: only money.
void AddBeside(Table& table, std::size_t columns, std::string_view name, std::optional<Usd> money) {
  if (!money || *money == Usd(0)) return;
  std::vector<Cell> cells(columns, Cell(""));
  cells[0] = Cell(name, Tone::kDim);
  cells[1] = Cell(ShowMoney(money), Tone::kDim);
  table.Add(std::move(cells));
}

// The bill has no other side: a saving stands beside the work that was compared, never beside it.
void AddBill(Table& table, std::size_t columns, const Shape& shape, const Value& total) {
  std::vector<Cell> cells(columns, Cell(""));
  cells[0] = Cell("TOTAL", Tone::kStrong);
  cells[1] = Cell(ShowMoney(MoneyAt(total, {"bill_usd"})), Tone::kStrong);
  if (shape.matter) {
    cells[columns - 2] = Cell(EnergyText(total), Tone::kStrong);
    cells[columns - 1] = Cell(CarbonText(total), Tone::kStrong);
  }
  table.Add(std::move(cells));
}

std::string Notes(const Value& total) {
  std::string notes;
  const std::string without = TextAt(total, {"without_baseline"});
  if (!without.empty() && without != "0")
    absl::StrAppend(&notes, without, without == "1" ? " piece" : " pieces",
                    " of work had no NVIDIA pool to compare with: left out of both sides of the "
                    "saving.\n");
  const std::string basis = TextAt(total, {"energy_basis"});
  if (!basis.empty() && basis != "metered")
    absl::StrAppend(&notes, "Energy is ", basis == "mixed" ? "metered in part, else " : "",
                    "estimated from the devices' figures.\n");
  return notes;
}

}  // namespace

std::string ShowCarbon(double grams) {
  if (std::abs(grams) >= 1000) return absl::StrFormat("%.2f kg", grams / 1000);
  return absl::StrFormat(std::abs(grams) >= 10 ? "%.0f g" : "%.2f g", grams);
}

std::string CostsTable(const Value& report, const Screen& screen, bool wide) {
  const std::string by = TextAt(report, {"by"});
  Shape shape{.title = by.empty() ? "row" : by,
              .idle = by == "pool" || by == "day",
              .matter = wide || screen.width == 0 || screen.width >= kRoomForMatter,
              .wide = wide};
  const std::vector<Column> columns = ColumnsOf(shape);
  Table table(columns);
  for (const Value& row : ListAt(report, {"rows"})) {
    const std::string key = TextAt(row, {"key"});
    // Idle time stands below, whatever the rows are about.
    if (key == "(idle)") continue;
    table.Add(CellsOf(shape, row, Cell(OrDash(key)), Tone::kPlain));
  }
  const Value* total = ValueAt(report, {"total"});
  if (total == nullptr) return table.Render(screen);
  table.AddRule();
  table.Add(CellsOf(shape, *total, Cell("all work", Tone::kStrong), Tone::kStrong, true));
  AddBeside(table, columns.size(), "(overhead)", MoneyAt(*total, {"overhead_usd"}));
  AddBeside(table, columns.size(), "(idle)", MoneyAt(*total, {"idle_usd"}));
  table.AddRule();
  AddBill(table, columns.size(), shape, *total);
  const std::string notes = Notes(*total);
  return table.Render(screen) + (notes.empty() ? "" : screen.Paint(Tone::kDim, notes));
}

}  // namespace spillway::cli
