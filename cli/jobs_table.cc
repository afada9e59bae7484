#include "cli/jobs_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/reading.h"
#include "cli/saving.h"
#include "cli/table.h"
#include "core/explain.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kRoomForReasons = 140;  // columns
constexpr int kNoteIndent = 4;

Tone ToneOfState(std::string_view state) {
  if (state == "succeeded") return Tone::kGood;
  if (state == "failed" || state == "refused") return Tone::kBad;
  if (state == "queued") return Tone::kCare;
  if (state == "running" || state == "starting") return Tone::kAccent;
  return Tone::kDim;
}

Cell StateCell(const Value& job) {
  const std::string state = TextAt(job, {"state"});
  return {state, ToneOfState(state)};
}

// From its start to its end, or to now.
std::string RanFor(const Value& job, absl::Time now) {
  const auto start = TimeAt(job, {"started_at"});
  if (!start) return std::string(kUnknown);
  const absl::Duration ran = TimeAt(job, {"finished_at"}).value_or(now) - *start;
  return Describe(absl::Trunc(ran, absl::Milliseconds(1)));
}

// In the queue, before its first attempt.
std::string WaitedFor(const Value& job) {
  const auto created = TimeAt(job, {"created_at"}), start = TimeAt(job, {"started_at"});
  if (!created || !start) return std::string(kUnknown);
  return Describe(absl::Trunc(*start - *created, absl::Milliseconds(100)));
}

std::string Command(const Value& job) {
  std::string line;
  for (const Value& word : ListAt(job, {"run", "command"}))
    absl::StrAppend(&line, line.empty() ? "" : " ", word.text());
  return line;
}

bool HasEnded(const Value& job) { return ValueAt(job, {"finished_at"}) != nullptr; }

// Booked when the job is over; until then it is not known.
std::optional<Usd> CostOf(const Value& job) {
  return HasEnded(job) ? MoneyAt(job, {"cost_usd"}) : std::nullopt;
}
std::optional<Usd> BaselineOf(const Value& job) {
  return HasEnded(job) ? MoneyAt(job, {"baseline_cost_usd"}) : std::nullopt;
}

std::string ModelledNote(const Value::List& jobs, const Screen& screen) {
  const bool any = std::any_of(jobs.begin(), jobs.end(),
                               [](const Value& job) { return FlagAt(job, {"modelled"}); });
  return any ? screen.Paint(Tone::kDim, kModelledNote) + "\n" : "";
}

Cell SavedCell(std::optional<Usd> cost, std::optional<Usd> baseline) {
  if (!cost || !baseline) return {kUnknown, Tone::kDim};
  return {SavedPercent(*cost, *baseline), *cost <= *baseline ? Tone::kGood : Tone::kBad};
}

std::string CodeWords(std::string_view code) {
  if (code == "outranked") return "claims later";
  if (code == "too_dear") return "over budget";
  return absl::StrReplaceAll(ToAbsl(code), {{"_", " "}});
}

std::string WhyThis(const Value& decision) {
  for (const Value& candidate : ListAt(decision, {"candidates"})) {
    if (TextAt(candidate, {"verdict"}) == "chosen") return TextAt(candidate, {"why"});
  }
  return TextAt(decision, {"outcome"}) == "refused" ? "no pool could ever do it"
                                                    : "waits for a pool";
}

std::vector<Cell> WhyRow(const Reasoned& one) {
  const bool refused = one.job.is_null();
  const auto cost = refused ? std::nullopt : CostOf(one.job);
  const auto baseline = refused ? std::nullopt : BaselineOf(one.job);
  return {{refused ? TextAt(one.decision, {"id"}) : TextAt(one.job, {"id"})},
          {OrDash(TextAt(refused ? one.decision : one.job, {"name"}))},
          refused ? Cell("refused", Tone::kBad) : StateCell(one.job),
          {refused ? std::string(kUnknown) : PoolText(one.job), Tone::kStrong},
          {refused ? std::string(kUnknown) : WaitedFor(one.job)},
          {ShowMoney(cost)},
          {ShowMoney(baseline)},
          SavedCell(cost, baseline)};
}

std::string Totals(const Saving& saving, const Screen& screen) {
  std::string line = absl::StrCat("All jobs: ", ShowMoney(saving.all_cost()), ".");
  if (saving.baseline().value() > 0) {
    absl::StrAppend(&line, "\nThose that NVIDIA could have done: ", ShowMoney(saving.cost()),
                    " here, ", ShowMoney(saving.baseline()), " on NVIDIA alone: ",
                    screen.Paint(saving.saved().value() >= 0 ? Tone::kGood : Tone::kBad,
                                 DescribeSaving(saving.cost(), saving.baseline())),
                    ".");
  }
  if (saving.without_baseline() > 0) {
    absl::StrAppend(&line, "\n", saving.without_baseline(),
                    " without an NVIDIA pool to compare with: left out of both sides.");
  }
  return line + "\n";
}

}  // namespace

std::string WhyNot(const Value& decision) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // in order of first use
  for (const Value& candidate : ListAt(decision, {"candidates"})) {
    if (TextAt(candidate, {"verdict"}) == "chosen") continue;
    const std::string code = TextAt(candidate, {"code"});
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == code; });
    if (group == groups.end()) group = groups.insert(groups.end(), {code, {}});
    group->second.push_back(TextAt(candidate, {"pool"}));
  }
  return absl::StrJoin(groups, "; ", [](std::string* out, const auto& group) {
    absl::StrAppend(out, CodeWords(group.first), ": ", absl::StrJoin(group.second, ", "));
  });
}

std::string JobsTable(const Value::List& jobs, absl::Time now, const Screen& screen, bool wide) {
  std::vector<Column> columns = {{"JOB"},
                                 {"NAME", Align::kLeft, Squeeze::kCut},
                                 {"STATE"},
                                 {"POOL"},
                                 {"AGE", Align::kRight},
                                 {"RAN", Align::kRight},
                                 {"COST", Align::kRight},
                                 {"SAVED", Align::kRight}};
  if (wide) {
    columns.insert(columns.end(), {{"ON NVIDIA", Align::kRight},
                                   {"DECISION"},
                                   {"TRIES", Align::kRight},
                                   {"COMMAND", Align::kLeft, Squeeze::kCut}});
  }
  Table table(std::move(columns));
  for (const Value& job : jobs) {
    const auto cost = CostOf(job), baseline = BaselineOf(job);
    std::vector<Cell> row = {TextAt(job, {"id"}),
                             OrDash(TextAt(job, {"name"})),
                             StateCell(job),
                             PoolText(job),
                             ShowAge(TimeAt(job, {"created_at"}), now),
                             RanFor(job, now),
                             ShowMoney(cost),
                             SavedCell(cost, baseline)};
    if (wide) {
      row.insert(row.end(), {ShowMoney(baseline), OrDash(TextAt(job, {"decision"})),
                             absl::StrCat(ListAt(job, {"attempts"}).size()), Command(job)});
    }
    table.Add(std::move(row));
  }
  return table.Render(screen) + ModelledNote(jobs, screen);
}

std::string JobPage(const Value& job, absl::Time now, const Screen& screen) {
  std::string out = absl::StrCat(screen.Paint(Tone::kStrong, TextAt(job, {"id"})), "  ",
                                 Printable(TextAt(job, {"name"})), "\n");
  const auto line = [&](std::string_view title, const std::string& text, Tone tone = Tone::kPlain) {
    if (text.empty()) return;
    absl::StrAppend(
        &out, "  ",
        screen.Paint(Tone::kDim, absl::StrCat(ToAbsl(title), std::string(11 - title.size(), ' '))),
        screen.Paint(tone, Printable(text)), "\n");
  };
  const std::string state = TextAt(job, {"state"});
  line("state", state, ToneOfState(state));
  line("pool", absl::StrCat(TextAt(job, {"pool"}), FlagAt(job, {"modelled"}) ? " (modelled)" : ""));
  line("command", Command(job));
  line("submitted", absl::StrCat(ShowAge(TimeAt(job, {"created_at"}), now), " ago"));
  if (TimeAt(job, {"started_at"})) line("ran", RanFor(job, now));
  line("exit code", TextAt(job, {"exit_code"}));
  line("signal", TextAt(job, {"signal"}));
  line("message", TextAt(job, {"message"}));
  for (const Value& attempt : ListAt(job, {"attempts"})) {
    if (const std::string why = TextAt(attempt, {"message"}); !why.empty())
      line(absl::StrCat("try ", TextAt(attempt, {"number"})), why);
  }
  line("cost", ShowMoney(CostOf(job)));
  const auto baseline = BaselineOf(job);
  line("NVIDIA", baseline ? absl::StrCat(ShowMoney(baseline), " there alone: it ",
                                         DescribeSaving(CostOf(job), baseline))
                          : "");
  line("decision", TextAt(job, {"decision"}));
  return out;
}

std::string DescribeEnd(const Value& job) {
  std::string words = TextAt(job, {"state"});
  if (const std::string pool = TextAt(job, {"pool"}); !pool.empty())
    absl::StrAppend(&words, " on ", pool);
  if (TimeAt(job, {"started_at"}))
    absl::StrAppend(&words, " in ", RanFor(job, absl::InfiniteFuture()));
  if (const auto cost = CostOf(job)) {
    absl::StrAppend(&words, " for ", ShowMoney(cost));
    const std::string saving = DescribeSaving(cost, BaselineOf(job));
    if (!saving.empty()) absl::StrAppend(&words, "; against NVIDIA alone it ", saving);
  }
  if (const std::string code = TextAt(job, {"exit_code"}); !code.empty() && code != "0")
    absl::StrAppend(&words, " (exit code ", code, ")");
  if (const std::string signal = TextAt(job, {"signal"}); !signal.empty())
    absl::StrAppend(&words, " (signal ", signal, ")");
  return words;
}

std::string WhyTable(const std::vector<Reasoned>& all, const Screen& screen) {
  // Reasons stand in columns where there is room for them, else below each job.
  const bool roomy = screen.width == 0 || screen.width >= kRoomForReasons;
  std::vector<Column> columns = {{"JOB"},
                                 {"NAME", Align::kLeft, Squeeze::kCut},
                                 {"STATE"},
                                 {"POOL"},
                                 {"WAITED", Align::kRight},
                                 {"COST", Align::kRight},
                                 {"ON NVIDIA", Align::kRight},
                                 {"SAVED", Align::kRight}};
  if (roomy) {
    columns.push_back({"WHY", Align::kLeft, Squeeze::kWrap});
    columns.push_back({"WHY NOT THE OTHERS", Align::kLeft, Squeeze::kWrap});
  }
  Table table(std::move(columns));
  Saving saving;
  for (const Reasoned& one : all) {
    if (!one.job.is_null()) saving.Add(CostOf(one.job), BaselineOf(one.job));
    std::vector<Cell> row = WhyRow(one);
    if (roomy) row.insert(row.end(), {WhyThis(one.decision), {WhyNot(one.decision), Tone::kDim}});
    table.Add(std::move(row));
    if (roomy) continue;
    table.AddNote(kNoteIndent, absl::StrCat("why: ", WhyThis(one.decision)));
    table.AddNote(kNoteIndent, {absl::StrCat("not: ", WhyNot(one.decision)), Tone::kDim});
  }
  table.set_ruled();
  Value::List jobs;
  for (const Reasoned& one : all) jobs.push_back(one.job);
  return absl::StrCat(table.Render(screen), ModelledNote(jobs, screen), "\n",
                      Totals(saving, screen));
}

}  // namespace spillway::cli
