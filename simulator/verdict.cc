#include "simulator/verdict.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "simulator/figures.h"

namespace spillway {
namespace {

constexpr double kBand = 0.05;     // costs this close are equal: by as much a run may end sooner
constexpr double kShown = 0.0005;  // less than that is shown as 0.0 %
constexpr std::size_t kNamed = 6;  // workloads in one sentence

const std::optional<MeanOf>& SavingIn(const RowOutcome& row, Accounting book) {
  return book == Accounting::kRented ? row.saving : row.saving_paid_for;
}
const MeanOf& CostIn(const RowOutcome& row, Accounting book) {
  return book == Accounting::kRented ? row.cost : row.cost_paid_for;
}
std::string NameOfRow(const RowOutcome& row) {
  return absl::StrCat(row.fleet, " under ", row.policy);
}
std::string CostWords(const RowOutcome& row, Accounting book) {
  return DollarFigure(CostIn(row, book).mean) + " USD";
}
std::string InTime(const RowOutcome& row) { return AttainmentFigure(row.attainment.mean); }
const char* BookWords(Accounting book) {
  return book == Accounting::kRented ? "with every node rented" : "with committed pools paid for";
}

// "31.2 % ± 2.1 % less"; of a baseline that costs nothing no part can be said.
std::string Change(const RowOutcome& row, Accounting book) {
  const auto& saving = SavingIn(row, book);
  if (!saving) return "more";
  return absl::StrCat(
      WithInterval(PercentFigure(std::abs(saving->mean)), PercentFigure(saving->half), *saving),
      saving->mean < 0 ? " more" : " less");
}

class OneWorkload {
 public:
  OneWorkload(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
              std::string_view workload)
      : book_(scenario.accounting.empty() ? Accounting::kRented : scenario.accounting.front()),
        attainment_(scenario.objective.attainment) {
    for (const Accounting book : scenario.accounting) {
      if (book != book_) other_book_ = book;
    }
    for (const RowOutcome& row : outcome.rows) {
      if (row.workload != workload) continue;
      if (row.is_baseline) {
        baseline_ = &row;
      } else {
        others_.push_back(&row);
      }
    }
  }

  Accounting book() const { return book_; }
  const RowOutcome* baseline() const { return baseline_; }

  const RowOutcome* Best(Accounting book) const {
    const RowOutcome* best = nullptr;
    const auto rank = [&](const RowOutcome& row) {
      return Meets(row) ? std::pair(0, CostIn(row, book).mean) : std::pair(1, -row.attainment.mean);
    };
    for (const RowOutcome* row : others_) {
      if (row->label == LoadLabel::kOverloaded) continue;
      if (!best || rank(*row) < rank(*best)) best = row;
    }
    if (!best || !Meets(*best)) return best;
    return *std::find_if(others_.begin(), others_.end(), [&](const RowOutcome* row) {
      return row->label != LoadLabel::kOverloaded && Meets(*row) && AsCheap(*row, *best, book);
    });
  }
  // Is something cheaper and in time?
  bool Wins(Accounting book) const {
    const RowOutcome* best = Best(book);
    return baseline_ && baseline_->label != LoadLabel::kOverloaded && best &&
           StandingOf(*best, book, attainment_) == Standing::kCheaper;
  }

  std::string Words() const {
    if (!baseline_) return "";
    if (baseline_->label == LoadLabel::kOverloaded) return BaselineOverloaded();
    if (others_.empty()) return Alone();
    const RowOutcome* best = Best(book_);
    return best ? Compared(*best) : AllOverloaded();
  }

 private:
  bool Meets(const RowOutcome& row) const { return row.attainment.mean >= attainment_; }
  static bool AsCheap(const RowOutcome& row, const RowOutcome& than, Accounting book) {
    return CostIn(row, book).mean <= CostIn(than, book).mean * (1 + kBand);
  }
  std::string Wanted() const { return ObjectiveFigure(attainment_); }

  std::string BaselineOverloaded() const {
    return absl::StrCat("The baseline, ", NameOfRow(*baseline_),
                        ", is overloaded: ", InTime(*baseline_), " of the work is in time (",
                        Wanted(), " wanted), so its cost of ", CostWords(*baseline_, book_),
                        " is nothing to compare with");
  }
  std::string AllOverloaded() const {
    std::vector<std::string> names;
    for (const RowOutcome* row : others_) {
      if (names.size() < 3) names.push_back(absl::StrCat(NameOfRow(*row), " (", InTime(*row), ")"));
    }
    if (others_.size() > names.size()) names.push_back("others");
    return absl::StrCat("Overloaded: ", absl::StrJoin(names, ", "),
                        " could not keep up, so no saving is claimed; the baseline, ",
                        NameOfRow(*baseline_), ", costs ", CostWords(*baseline_, book_), " with ",
                        InTime(*baseline_), " in time (", Wanted(), " wanted)");
  }
  std::string Alone() const {
    return absl::StrCat("Only the baseline was run: ", NameOfRow(*baseline_), " costs ",
                        CostWords(*baseline_, book_), " with ", InTime(*baseline_), " in time (",
                        Wanted(), " wanted)");
  }

  std::string Compared(const RowOutcome& row) const {
    return absl::StrCat(InFirstBook(row), InOtherBook(row),
                        row.seeds > 1 ? "" : "; one seed only, so no interval is known");
  }
  std::string InFirstBook(const RowOutcome& row) const {
    if (Meets(*baseline_) && !Meets(row)) return OnlyTheBaseline(row);
    switch (StandingOf(row, book_, attainment_)) {
      case Standing::kCheaper:
        return absl::StrCat(NameOfRow(row), " meets the objective (", InTime(row), " in time, ",
                            Wanted(), " wanted) and costs ", Change(row, book_), " than ",
                            BaselineCost(), ": ", CostWords(row, book_), " ", BookWords(book_));
      case Standing::kCheaperLate:
        return absl::StrCat(NameOfRow(row), " misses the objective (", InTime(row), " in time, ",
                            Wanted(), " wanted), as the baseline does; it costs ",
                            Change(row, book_), " than ", BaselineCost(), ": ",
                            CostWords(row, book_), " ", BookWords(book_));
      case Standing::kNoDifference:
        return absl::StrCat("No difference in cost that the data shows: ", NameOfRow(row), " (",
                            CostWords(row, book_), ", ", InTime(row), " in time, ", Wanted(),
                            " wanted) costs ", Change(row, book_), " than ", BaselineCost(), ", ",
                            BookWords(book_));
      default:
        return Dearer(row);
    }
  }
  std::string BaselineCost() const {
    return absl::StrCat("the baseline, ", NameOfRow(*baseline_), " (", CostWords(*baseline_, book_),
                        ", ", InTime(*baseline_), " in time)");
  }
  // What is late is no cheaper way to do the same.
  std::string OnlyTheBaseline(const RowOutcome& row) const {
    return absl::StrCat("Only the baseline meets the objective: ", NameOfRow(*baseline_), " costs ",
                        CostWords(*baseline_, book_), " with ", InTime(*baseline_), " in time (",
                        Wanted(), " wanted), ", BookWords(book_), "; nearest comes ",
                        NameOfRow(row), " with ", InTime(row), ", and costs ", Change(row, book_),
                        " (", CostWords(row, book_), ")");
  }
  // The baseline is the cheaper one: that comes first, whatever else is good.
  std::string Dearer(const RowOutcome& row) const {
    return absl::StrCat("The baseline is cheaper: ", NameOfRow(*baseline_), " costs ",
                        CostWords(*baseline_, book_), " with ", InTime(*baseline_), " in time",
                        Meets(*baseline_) ? "" : ", which misses the objective", ", and ",
                        NameOfRow(row), " costs ", Change(row, book_), " (", CostWords(row, book_),
                        ", ", BookWords(book_), ") with ", InTime(row), " (", Wanted(), " wanted)");
  }

  // The same row by the other book; or another one, where that is the better buy.
  std::string InOtherBook(const RowOutcome& row) const {
    if (!other_book_) return "";
    const Accounting book = *other_book_;
    const RowOutcome& best = *Best(book);
    const bool another = &best != &row && !(Meets(row) == Meets(best) && AsCheap(row, best, book));
    const std::string words = absl::StrCat("; ", BookWords(book));
    if (another && StandingOf(best, book, attainment_) == Standing::kDearer) {
      return absl::StrCat(
          words, " the baseline is cheaper than all others: ", CostWords(*baseline_, book));
    }
    if (another) {
      return absl::StrCat(words, " the best buy is ", NameOfRow(best), ": ", CostWords(best, book),
                          " with ", InTime(best), " in time, ", Change(best, book),
                          " than the baseline");
    }
    // Nothing is committed: the same figures again would say nothing.
    const bool is_same = CostIn(row, book_).mean == CostIn(row, book).mean &&
                         CostIn(*baseline_, book_).mean == CostIn(*baseline_, book).mean;
    if (is_same) return "";
    if (CostIn(row, book).mean == 0 && CostIn(*baseline_, book).mean > 0) {
      return absl::StrCat(words, " nothing is left to pay for it, and ",
                          CostWords(*baseline_, book), " for the baseline");
    }
    if (!SavingIn(row, book)) {
      return absl::StrCat(words, " it costs ", CostWords(row, book),
                          ", and nothing is left to pay for the baseline");
    }
    if (StandingOf(row, book, attainment_) == Standing::kNoDifference) {
      return absl::StrCat(words, " it costs as much as the baseline, within what the data shows (",
                          CostWords(row, book), ")");
    }
    return absl::StrCat(words, " it costs ", Change(row, book), " (", CostWords(row, book), ")");
  }

  Accounting book_;
  std::optional<Accounting> other_book_;
  double attainment_;
  const RowOutcome* baseline_ = nullptr;
  std::vector<const RowOutcome*> others_;
};

std::vector<std::string> WorkloadsOf(const ExperimentOutcome& outcome) {
  std::vector<std::string> workloads;  // in the order of the rows
  for (const RowOutcome& row : outcome.rows) {
    if (std::find(workloads.begin(), workloads.end(), row.workload) == workloads.end())
      workloads.push_back(row.workload);
  }
  return workloads;
}

// "in 2 with every node rented (a, b)"
std::string Wins(const std::vector<std::pair<std::string, OneWorkload>>& all, Accounting book) {
  std::vector<std::string> names;
  for (const auto& [name, workload] : all) {
    if (workload.Wins(book)) names.push_back(name);
  }
  if (names.empty()) return absl::StrCat("in none ", BookWords(book));
  if (names.size() == all.size()) return absl::StrCat("in all ", BookWords(book));
  const std::string words = absl::StrCat("in ", names.size(), " ", BookWords(book), " (");
  const std::size_t more = names.size() > kNamed ? names.size() - kNamed : 0;
  names.resize(names.size() - more);
  return absl::StrCat(words, absl::StrJoin(names, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "", ")");
}

}  // namespace

const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload, Accounting book) {
  return OneWorkload(outcome, scenario, workload).Best(book);
}
const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload) {
  const OneWorkload one(outcome, scenario, workload);
  return one.Best(one.book());
}

Standing StandingOf(const RowOutcome& row, Accounting book, double attainment) {
  if (row.is_baseline) return Standing::kBaseline;
  if (row.label == LoadLabel::kOverloaded) return Standing::kOverloaded;
  const auto& saving = SavingIn(row, book);
  if (!saving) return Standing::kDearer;
  if (std::abs(saving->mean) <= saving->half || std::abs(saving->mean) < kShown)
    return Standing::kNoDifference;
  if (saving->mean < 0) return Standing::kDearer;
  return row.attainment.mean >= attainment ? Standing::kCheaper : Standing::kCheaperLate;
}

std::vector<WorkloadVerdict> VerdictsOf(const ExperimentOutcome& outcome,
                                        const ScenarioSpec& scenario) {
  std::vector<WorkloadVerdict> verdicts;
  for (const std::string& workload : WorkloadsOf(outcome)) {
    std::string words = OneWorkload(outcome, scenario, workload).Words();
    if (!words.empty()) verdicts.push_back({workload, words + "."});
  }
  return verdicts;
}

std::string VerdictSentence(const ExperimentOutcome& outcome, const ScenarioSpec& scenario) {
  std::vector<std::pair<std::string, OneWorkload>> all;
  for (const std::string& workload : WorkloadsOf(outcome)) {
    OneWorkload one(outcome, scenario, workload);
    if (one.baseline()) all.emplace_back(workload, std::move(one));
  }
  if (all.empty()) return "";
  if (all.size() == 1) return all.front().second.Words() + ".";
  std::vector<std::string> books;
  for (const Accounting book : scenario.accounting) books.push_back(Wins(all, book));
  if (books.empty()) books.push_back(Wins(all, Accounting::kRented));
  return absl::StrCat("Of ", all.size(),
                      " workloads another fleet or policy is in time and cheaper than the "
                      "baseline, ",
                      NameOfRow(*all.front().second.baseline()), ", ",
                      absl::StrJoin(books, ", and "), ".");
}

}  // namespace spillway
