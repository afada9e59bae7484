#include "cli/top_frame.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/jobs_table.h"
#include "cli/reading.h"
#include "cli/table.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kBarWidth = 12;
constexpr int kSparkWidth = 24;
constexpr int kLeastWidth = 40;
constexpr int kNameWidth = 24;  // of a job

std::string Clock(absl::Time now) {
  return absl::FormatTime("%H:%M:%S", now, absl::LocalTimeZone());
}

Tone ToneOf(std::string_view health) {
  if (health == "ok") return Tone::kGood;
  return health == "warning" ? Tone::kCare : Tone::kBad;
}

Cell Health(const TopView& view) {
  if (!view.trouble.empty()) return {view.trouble, Tone::kBad};
  const std::string state = TextAt(view.overview, {"health", "state"});
  std::vector<std::string> reasons;
  for (const Value& reason : ListAt(view.overview, {"health", "reasons"}))
    reasons.push_back(TextAt(reason, {"text"}));
  return {absl::StrCat(state == "ok" ? "all is well" : state, reasons.empty() ? "" : ": ",
                       absl::StrJoin(reasons, "; ")),
          ToneOf(state)};
}

// The parts beside each other, cut at the edge of the screen.
std::string Line(const std::vector<Cell>& parts, const Screen& screen) {
  int room = screen.width > 0 ? screen.width : 10'000;
  std::string line;
  for (const Cell& part : parts) {
    const std::string gap = line.empty() ? "" : "   ";
    room -= static_cast<int>(gap.size());
    if (room <= 0 || part.text.empty()) continue;
    const std::string text = Cut(Printable(part.text), room, screen.Ellipsis());
    room -= DisplayWidth(text);
    absl::StrAppend(&line, gap, screen.Paint(part.tone, text));
  }
  return line;
}

// The bill of this day, and what of it stood idle: on neither side of a saving.
std::string Today(const Value& overview) {
  const auto idle = MoneyAt(overview, {"today", "idle_usd"});
  return absl::StrCat("today ", ShowMoney(MoneyAt(overview, {"today", "cost_usd"})),
                      idle && *idle > Usd() ? absl::StrCat(" (", ShowMoney(idle), " idle)") : "");
}
std::string Saved(const Value& overview) {
  const auto saved = MoneyAt(overview, {"today", "saved_usd"});
  if (!saved) return "";
  const bool more = *saved < Usd();
  return absl::StrCat("work ", ShowMoney(more ? -*saved : *saved), more ? " more" : " less",
                      " than on NVIDIA");
}

std::string Rates(const Value& overview) {
  const auto number = [&](KeyPath path) { return NumberAt(overview, path).value_or(0); };
  std::string words =
      absl::StrFormat("%.3g jobs/s, %.3g requests/s   running %g and %g   waiting %g and %g",
                      number({"work_per_second", "jobs"}), number({"work_per_second", "requests"}),
                      number({"running", "jobs"}), number({"running", "requests"}),
                      number({"queue", "jobs"}), number({"queue", "requests"}));
  if (const auto oldest = NumberAt(overview, {"queue", "oldest_s"}); oldest && *oldest > 0)
    absl::StrAppend(&words, ", the oldest for ", ShowSeconds(oldest));
  if (const auto p95 = NumberAt(overview, {"p95_s", "ttft"}))
    absl::StrAppend(&words, "   TTFT p95 ", ShowSeconds(p95));
  return words;
}

// The newest points of a series of this pool; null if there is none.
const Value::List* PointsOf(const TopView& view, std::string_view name, std::string_view pool) {
  for (const Value& series : ListAt(view.series, {"series"})) {
    if (TextAt(series, {"name"}) == name && TextAt(series, {"pool"}) == pool)
      return &ListAt(series, {"values"});
  }
  return nullptr;
}

std::optional<double> Last(const Value::List* points) {
  if (!points || points->empty()) return std::nullopt;
  return NumberAt(points->back(), {});
}

// What is held, of what there is: devices where the pool has some, else CPUs.
std::optional<double> Held(const Value& pool) {
  const std::string_view what =
      NumberAt(pool, {"total", "devices"}).value_or(0) > 0 ? "devices" : "cpus";
  const auto total = NumberAt(pool, {"total", what}), free = NumberAt(pool, {"free", what});
  if (!total || !free || *total <= 0) return std::nullopt;
  return 1 - *free / *total;
}

std::string Bar(std::optional<double> ratio, const Screen& screen) {
  if (!ratio) return std::string(kUnknown);
  const double full = std::clamp(*ratio, 0.0, 1.0);
  const int cells = static_cast<int>(full * kBarWidth + 0.5);
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i)
    bar += screen.unicode ? (i < cells ? "█" : "░") : (i < cells ? "#" : ".");
  return absl::StrFormat("%s %3.0f %%", bar, full * 100);
}

Tone ToneOfBusy(std::optional<double> ratio) {
  if (!ratio || *ratio < 0.01) return Tone::kDim;
  return *ratio > 0.9 ? Tone::kCare : Tone::kGood;
}

std::string PoolsTable(const TopView& view, const Screen& screen) {
  const bool roomy = screen.width == 0 || screen.width >= 100;
  std::vector<Column> columns = {{"POOL", Align::kLeft, Squeeze::kCut},
                                 {"STATE"},
                                 {"BUSY"},
                                 {"RUNNING", Align::kRight},
                                 {"$/H NOW", Align::kRight}};
  if (roomy) columns.push_back({"BUSY LATELY"});
  Table table(columns);
  for (const Value& pool : ListAt(view.pools, {"data"})) {
    const std::string name = TextAt(pool, {"name"}), state = TextAt(pool, {"state"});
    const Value::List* points = PointsOf(view, "busy_ratio", name);
    const auto newest = Last(points);
    const auto busy = newest ? newest : Held(pool);
    const auto dollars = Last(PointsOf(view, "usd_per_hour", name));
    std::vector<Cell> row = {FlagAt(pool, {"modelled"}) ? name + "*" : name,
                             {state, state == "active" ? Tone::kGood
                                     : state == "down" ? Tone::kBad
                                                       : Tone::kCare},
                             {Bar(busy, screen), ToneOfBusy(busy)},
                             absl::StrFormat("%g", NumberAt(pool, {"running"}).value_or(0)),
                             dollars ? absl::StrFormat("%.3f", *dollars) : std::string(kUnknown)};
    if (roomy)
      row.emplace_back(points ? Sparkline(*points, kSparkWidth, 1, screen) : "", Tone::kAccent);
    table.Add(std::move(row));
  }
  return table.empty() ? "" : table.Render(screen);
}

// One line of what went where.
struct Told {
  absl::Time at;
  std::string work, went;
  bool placed = true;
  std::optional<Usd> cost, baseline;
  std::string why;
};

// "job-000007 nightly-eval"; what was refused when it came has no id but its decision's. The id is
// what `spillway explain` takes: a long name is cut rather than that.
std::string WorkOf(const Value& decision, const Screen& screen) {
  const std::string id = TextAt(decision, {TextAt(decision, {"work"}).empty() ? "id" : "work"});
  const std::string name = Printable(TextAt(decision, {"name"}));
  return name.empty() ? id : absl::StrCat(id, " ", Cut(name, kNameWidth, screen.Ellipsis()));
}

Told TellDecision(const Value& decision, const Screen& screen) {
  const std::string pool = TextAt(decision, {"chosen"});
  Told told{.at = TimeAt(decision, {"at"}).value_or(absl::InfinitePast()),
            .work = WorkOf(decision, screen),
            .went = pool.empty() ? TextAt(decision, {"outcome"}) : pool,
            .placed = !pool.empty(),
            .cost = std::nullopt,
            .baseline = MoneyAt(decision, {"baseline", "cost_usd"}),
            .why = WhyNot(decision)};
  for (const Value& candidate : ListAt(decision, {"candidates"})) {
    if (TextAt(candidate, {"verdict"}) == "chosen")
      told.cost = MoneyAt(candidate, {"estimate", "cost_usd"});
  }
  return told;
}

// Requests of one model that ended alike at one engine, one after the other, are one line.
void AddRequests(const Value& requests, std::vector<Told>& told) {
  std::string before;
  int times = 0;
  std::size_t at = 0;
  for (const Value& row : ListAt(requests, {"data"})) {
    const std::string model = TextAt(row, {"request", "model"}),
                      engine = TextAt(row, {"request", "endpoint"}),
                      end = TextAt(row, {"request", "end"});
    const auto cost = MoneyAt(row, {"request", "cost_usd"}),
               baseline = MoneyAt(row, {"request", "baseline_cost_usd"});
    const std::string way = absl::StrCat(model, "\n", engine, "\n", end);
    if (way != before) {
      before = way;
      times = 0;
      at = told.size();
      told.push_back({.at = TimeAt(row, {"request", "ended_at"}).value_or(absl::InfinitePast()),
                      .work = model,
                      .went = engine.empty() ? end : engine,
                      .placed = !engine.empty(),
                      .cost = cost,
                      .baseline = baseline,
                      .why = end == "answered" ? "" : absl::StrReplaceAll(end, {{"_", " "}})});
    } else {
      Told& sum = told[at];
      sum.cost = sum.cost && cost ? std::optional(*sum.cost + *cost) : std::nullopt;
      sum.baseline =
          sum.baseline && baseline ? std::optional(*sum.baseline + *baseline) : std::nullopt;
    }
    if (++times > 1) told[at].work = absl::StrCat(model, " x", times);
  }
}

// "job-000007 nightly-eval -> xeon-amx  placed  $0.0012 (NVIDIA $0.0030)  not local: too late"
std::string DecisionsTable(const TopView& view, const Screen& screen, std::size_t rows) {
  std::vector<Told> told;
  for (const Value& decision : ListAt(view.decisions, {"data"}))
    told.push_back(TellDecision(decision, screen));
  AddRequests(view.requests, told);
  std::stable_sort(told.begin(), told.end(),
                   [](const Told& a, const Told& b) { return a.at > b.at; });
  if (told.size() > rows) told.resize(rows);
  const bool roomy = screen.width == 0 || screen.width >= 80;
  std::vector<Column> columns = {{"WHEN", Align::kRight},
                                 {"WORK", Align::kLeft, Squeeze::kCut},
                                 {"WENT TO", Align::kLeft, Squeeze::kCut},
                                 {"COST", Align::kRight}};
  if (roomy) columns.push_back({"NVIDIA", Align::kRight});
  columns.push_back({"WHY NOT THE OTHERS", Align::kLeft, Squeeze::kCut});
  Table table(columns);
  for (const Told& one : told) {
    std::vector<Cell> row = {{ShowAge(one.at, view.now), Tone::kDim},
                             one.work,
                             Cell(one.went, one.placed ? Tone::kPlain : Tone::kCare),
                             ShowMoney(one.cost)};
    if (roomy) row.emplace_back(ShowMoney(one.baseline), Tone::kDim);
    row.emplace_back(one.why, Tone::kDim);
    table.Add(std::move(row));
  }
  return table.empty() ? "" : table.Render(screen);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void Append(std::vector<std::string>& lines, const std::string& text) {
  for (std::string& line : Lines(text)) lines.push_back(std::move(line));
}

}  // namespace

std::string Sparkline(const Value::List& values, int width, double top, const Screen& screen) {
  static constexpr std::array<std::string_view, 8> kSteps{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::string_view kPlainSteps = "_.:-=+*#";
  const std::size_t shown = std::min(values.size(), static_cast<std::size_t>(std::max(width, 0)));
  std::string line;
  for (std::size_t i = values.size() - shown; i < values.size(); ++i) {
    const auto value = NumberAt(values[i], {});
    if (!value) {
      line += ' ';
      continue;
    }
    const double part = top > 0 ? std::clamp(*value / top, 0.0, 1.0) : 0;
    const auto step = std::min<std::size_t>(7, static_cast<std::size_t>(part * 8));
    if (screen.unicode)
      line += kSteps[step];
    else
      line += kPlainSteps[step];
  }
  return line;
}

std::string TopFrame(const TopView& view, const Screen& screen, int height) {
  Screen inside = screen;
  if (inside.width > 0) inside.width = std::max(inside.width, kLeastWidth);
  std::vector<std::string> lines = {Line(
      {{"spillway top", Tone::kStrong}, {view.server, Tone::kDim}, Clock(view.now), Health(view)},
      inside)};
  if (!view.overview.is_null()) {
    const std::string now = ShowMoney(MoneyAt(view.overview, {"usd_per_hour"}));
    lines.push_back(
        Line({{absl::StrCat(now, "/h"), Tone::kStrong}, Today(view.overview), Saved(view.overview)},
             inside));
    lines.push_back(Line({Rates(view.overview)}, inside));
  }
  lines.emplace_back();
  Append(lines, PoolsTable(view, inside));
  // A heading, a rule and a blank line stand above the rows.
  const int room = height - static_cast<int>(lines.size()) - 4;
  if (room > 0) {
    const std::string decisions = DecisionsTable(view, inside, static_cast<std::size_t>(room));
    if (!decisions.empty()) {
      lines.emplace_back();
      Append(lines, decisions);
    }
  }
  if (static_cast<int>(lines.size()) > height)
    lines.resize(static_cast<std::size_t>(std::max(height, 0)));
  return absl::StrJoin(lines, "\n");
}

}  // namespace spillway::cli
