#include "cli/explain_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/reading.h"
#include "cli/saving.h"
#include "cli/table.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

int RankOf(const Value& candidate) {
  const std::string verdict = TextAt(candidate, {"verdict"});
  return verdict == "chosen" ? 0 : verdict == "awaited" ? 1 : verdict == "outranked" ? 2 : 3;
}

// Best first: the chosen one, those that are waited for, those that would do; then the refused ones
// as the fleet lists them.
std::vector<const Value*> Ranked(const Value::List& candidates) {
  std::vector<const Value*> ranked;
  for (const Value& candidate : candidates) ranked.push_back(&candidate);
  const auto cost = [](const Value& c) {
    const auto money = MoneyAt(c, {"estimate", "marginal_cost_usd"});
    return money ? money->value() : std::int64_t{0};
  };
  std::stable_sort(ranked.begin(), ranked.end(), [&](const Value* a, const Value* b) {
    if (RankOf(*a) != RankOf(*b)) return RankOf(*a) < RankOf(*b);
    return RankOf(*a) == 2 && cost(*a) < cost(*b);
  });
  return ranked;
}

Tone ToneOf(const Value& candidate) {
  constexpr Tone kTones[] = {Tone::kGood, Tone::kCare, Tone::kPlain, Tone::kDim};
  return kTones[RankOf(candidate)];
}

// Does it meet the objective there? Only a pool with an estimate was asked.
Cell InTime(const Value& candidate) {
  if (!ValueAt(candidate, {"estimate"})) return {kUnknown, Tone::kDim};
  for (const Value& code : ListAt(candidate, {"codes"})) {
    if (code.is_string() && code.string() == "too_late") return {"no", Tone::kBad};
  }
  return {"yes", Tone::kGood};
}

Tone ToneOfOutcome(std::string_view outcome) {
  return outcome == "placed" ? Tone::kGood : outcome == "waiting" ? Tone::kCare : Tone::kBad;
}

std::string Head(const Value& decision, const Screen& screen) {
  const std::string outcome = TextAt(decision, {"outcome"});
  const std::string chosen = TextAt(decision, {"chosen"});
  std::string words = chosen.empty() ? outcome : absl::StrCat(outcome, " on ", chosen);
  const std::string engine = TextAt(decision, {"request", "endpoint"});  // "a10/0"
  const std::string pool = engine.substr(0, engine.rfind('/'));
  if (!chosen.empty() && !pool.empty() && pool != chosen)
    absl::StrAppend(&words, ", then on ", pool);
  std::string line = screen.Paint(ToneOfOutcome(outcome), words);
  const std::string name = Printable(TextAt(decision, {"name"}));
  if (!name.empty()) line = absl::StrCat(name, "  ", line);
  if (const std::string work = TextAt(decision, {"work"}); !work.empty())
    line = absl::StrCat(screen.Paint(Tone::kStrong, work), "  ", line);
  std::string by = absl::StrCat("policy ", TextAt(decision, {"policy"}), " v",
                                TextAt(decision, {"policy_version"}));
  if (const std::string rule = TextAt(decision, {"rule"}); !rule.empty())
    absl::StrAppend(&by, ", rule ", rule);
  if (const std::string id = TextAt(decision, {"id"}); !id.empty()) by = absl::StrCat(id, ", ", by);
  return absl::StrCat(line, "  ", screen.Paint(Tone::kDim, by), "\n\n");
}

std::string FaultInWords(const std::string& fault) {
  return fault == "connect"      ? "no connection could be made"
         : fault == "broken"     ? "it broke before an answer"
         : fault == "timeout"    ? "no answer in time"
         : fault == "overloaded" ? "it was too busy (429 or 503)"
         : fault == "error"      ? "it answered with an error, or refused the controller"
                                 : fault;
}

// Engines that were given up for the next one, each with the reason.
std::string FailedTries(const Value& request) {
  std::string lines;
  for (const Value& attempt : ListAt(request, {"attempts"})) {
    const std::string fault = TextAt(attempt, {"fault"});
    if (fault.empty() || fault == "none") continue;
    absl::StrAppend(&lines, "tried ", OrDash(TextAt(attempt, {"endpoint"})), ": ",
                    FaultInWords(fault));
    if (const auto lost = NumberAt(attempt, {"lost_s"}); lost.value_or(0) > 0)
      absl::StrAppend(&lines, "; lost ", ShowSeconds(lost), " of it, ",
                      ShowMoney(MoneyAt(attempt, {"lost_cost_usd"})), " of overhead");
    lines += "\n";
  }
  return lines;
}

// Of a cascade: which attempt this is, and how it went on.
std::string CascadeOf(const Value& request) {
  const std::string name = TextAt(request, {"cascade", "name"});
  if (name.empty()) return "";
  const std::string other = TextAt(request, {"cascade", "other"});
  const std::string why = TextAt(request, {"cascade", "escalated"});
  if (NumberAt(request, {"cascade", "attempt"}) == 2)
    return absl::StrCat("cascade ", name, ": after ", other, " (", why, "), which cost ",
                        ShowMoney(MoneyAt(request, {"cascade", "first_cost_usd"})), " more\n");
  if (why.empty()) return absl::StrCat("cascade ", name, ": the answer did\n");
  return absl::StrCat("cascade ", name, ": ", why, ", so its answer was not used; asked again as ",
                      OrDash(other), "\n");
}

// What came of a request.
std::string OutcomeOf(const Value& request) {
  std::string line = TextAt(request, {"end"});
  if (const std::string model = TextAt(request, {"answered_by"}); !model.empty())
    absl::StrAppend(&line, " by ", model, " on ", OrDash(TextAt(request, {"endpoint"})));
  if (const auto tokens = NumberAt(request, {"output_tokens"}))
    absl::StrAppend(&line, ": ", static_cast<std::int64_t>(*tokens), " tokens");
  if (const auto ttft = NumberAt(request, {"ttft_s"}))
    absl::StrAppend(&line, ", the first after ", ShowSeconds(ttft));
  if (const auto tpot = NumberAt(request, {"tpot_s"}))
    absl::StrAppend(&line, ", then ", ShowSeconds(tpot), " each");
  return absl::StrCat(line, "; booked ", ShowMoney(MoneyAt(request, {"cost_usd"})), "\n");
}

std::string Foot(const Value& decision, const Screen& screen) {
  if (const Value* request = ValueAt(decision, {"request"})) {
    const auto baseline = MoneyAt(*request, {"baseline_cost_usd"});
    return absl::StrCat(FailedTries(*request), OutcomeOf(*request), CascadeOf(*request),
                        "NVIDIA alone: ", baseline ? ShowMoney(baseline) : "nobody there serves it",
                        "\n");
  }
  const auto baseline = MoneyAt(decision, {"baseline", "cost_usd"});
  if (!baseline) {
    return screen.Paint(Tone::kDim,
                        "NVIDIA alone: no such pool could do it, so no saving is claimed") +
           "\n";
  }
  std::string line = absl::StrCat("NVIDIA alone (", OrDash(TextAt(decision, {"baseline", "pool"})),
                                  "): ", ShowMoney(baseline));
  for (const Value& candidate : ListAt(decision, {"candidates"})) {
    if (RankOf(candidate) != 0) continue;
    absl::StrAppend(&line, "; ",
                    DescribeSaving(MoneyAt(candidate, {"estimate", "cost_usd"}), baseline));
  }
  return line + "\n";
}

}  // namespace

std::string CandidatesTable(const Value::List& candidates, const Screen& screen, bool wide) {
  // Requests are judged by their tokens, jobs by when they start and end.
  const bool tokens = std::any_of(candidates.begin(), candidates.end(), [](const Value& candidate) {
    return NumberAt(candidate, {"estimate", "ttft_s"}).has_value();
  });
  std::vector<Column> columns = {{"POOL"},
                                 {"VERDICT"},
                                 {"COST", Align::kRight},
                                 {tokens ? "FIRST TOKEN" : "STARTS IN", Align::kRight},
                                 {tokens ? "EACH TOKEN" : "TAKES", Align::kRight},
                                 {"IN TIME"},
                                 {"WHY", Align::kLeft, Squeeze::kWrap}};
  if (wide) {
    columns.insert(columns.begin() + 3, {"MARGINAL", Align::kRight});
    columns.insert(columns.end() - 1,
                   {{"ENERGY", Align::kRight}, {"BASIS"}, {"CODES", Align::kLeft, Squeeze::kWrap}});
  }
  Table table(std::move(columns));
  for (const Value* candidate : Ranked(candidates)) {
    const Tone tone = ToneOf(*candidate);
    std::vector<Cell> row = {
        {PoolText(*candidate), tone == Tone::kGood ? Tone::kStrong : tone},
        {TextAt(*candidate, {"verdict"}), tone},
        {ShowMoney(MoneyAt(*candidate, {"estimate", "cost_usd"})), tone},
        {ShowSeconds(tokens ? NumberAt(*candidate, {"estimate", "ttft_s"})
                            : NumberAt(*candidate, {"estimate", "wait_s", "p90"})),
         tone},
        {ShowSeconds(tokens ? NumberAt(*candidate, {"estimate", "tpot_s"})
                            : NumberAt(*candidate, {"estimate", "duration_s", "p50"})),
         tone},
        InTime(*candidate),
        {TextAt(*candidate, {"why"}), tone}};
    if (wide) {
      row.insert(row.begin() + 3,
                 {ShowMoney(MoneyAt(*candidate, {"estimate", "marginal_cost_usd"})), tone});
      std::string codes;
      for (const Value& code : ListAt(*candidate, {"codes"}))
        absl::StrAppend(&codes, codes.empty() ? "" : " ", code.text());
      const auto joules = NumberAt(*candidate, {"estimate", "energy_joules"});
      row.insert(row.end() - 1, {{joules ? ShowEnergy(*joules) : std::string(kUnknown), tone},
                                 {OrDash(TextAt(*candidate, {"estimate", "basis"})), tone},
                                 {codes, tone}});
    }
    table.Add(std::move(row));
  }
  const bool any_modelled =
      std::any_of(candidates.begin(), candidates.end(),
                  [](const Value& candidate) { return FlagAt(candidate, {"modelled"}); });
  return table.Render(screen) +
         (any_modelled ? screen.Paint(Tone::kDim, kModelledNote) + "\n" : "");
}

std::string ExplainTable(const Value& decision, const Screen& screen, bool wide) {
  return absl::StrCat(Head(decision, screen),
                      CandidatesTable(ListAt(decision, {"candidates"}), screen, wide), "\n",
                      Foot(decision, screen));
}

}  // namespace spillway::cli
