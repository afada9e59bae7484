#include "simulator/verdict.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "simulator/figures.h"

namespace spillway {
namespace {

const MeanOf& SavingOf(const RowOutcome& row, Accounting book) {
  return book == Accounting::kRented ? row.saving : row.saving_paid_for;
}
const MeanOf& CostOf(const RowOutcome& row, Accounting book) {
  return book == Accounting::kRented ? row.cost : row.cost_paid_for;
}
std::string NameOfRow(const RowOutcome& row) {
  return absl::StrCat(row.fleet, " under ", row.policy);
}
std::string CostWords(const RowOutcome& row, Accounting book) {
  return DollarFigure(CostOf(row, book).mean) + " USD";
}
std::string InTime(const RowOutcome& row) { return AttainmentFigure(row.attainment.mean); }
const char* BookWords(Accounting book) {
  return book == Accounting::kRented ? "with every node rented" : "with committed pools paid for";
}

// "31.2 % ± 2.1 %": how much less, or more, always without a sign.
std::string Part(const MeanOf& saving) {
  return WithInterval(PercentFigure(std::abs(saving.mean)), PercentFigure(saving.half), saving);
}

class OneWorkload {
 public:
  OneWorkload(std::vector<const RowOutcome*> rows, const ScenarioSpec& scenario)
      : book_(scenario.accounting.empty() ? Accounting::kRented : scenario.accounting.front()),
        attainment_(scenario.objective.attainment) {
    for (const Accounting book : scenario.accounting) {
      if (book != book_) other_book_ = book;
    }
    for (const RowOutcome* row : rows) {
      if (row->is_baseline) {
        baseline_ = row;
      } else {
        others_.push_back(row);
      }
    }
  }

  // The cheapest that meets the objective, else the cheapest; of those that keep up. The first one
  // on a tie.
  const RowOutcome* Best() const {
    const RowOutcome* best = nullptr;
    for (const RowOutcome* row : others_) {
      if (row->label == LoadLabel::kOverloaded) continue;
      const auto rank = [&](const RowOutcome& r) {
        return std::pair(Meets(r) ? 0 : 1, CostOf(r, book_).mean);
      };
      if (!best || rank(*row) < rank(*best)) best = row;
    }
    return best;
  }

  std::string Words() const {
    if (!baseline_) return "";
    if (baseline_->label == LoadLabel::kOverloaded) return BaselineOverloaded();
    if (others_.empty()) return Alone();
    const RowOutcome* best = Best();
    if (!best) return AllOverloaded();
    return Compared(*best);
  }

 private:
  bool Meets(const RowOutcome& row) const { return row.attainment.mean >= attainment_; }
  std::string Wanted() const { return ObjectiveFigure(attainment_); }

  std::string BaselineOverloaded() const {
    return absl::StrCat("The baseline, ", NameOfRow(*baseline_), ", is overloaded: only ",
                        InTime(*baseline_), " of the work is in time (", Wanted(),
                        " wanted), so its cost of ", CostWords(*baseline_, book_),
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
    std::string words;
    switch (StandingOf(row, book_, attainment_)) {
      case Standing::kCheaper:
        words =
            absl::StrCat(NameOfRow(row), " meets the objective (", InTime(row), " in time, ",
                         Wanted(), " wanted) and costs ", Part(SavingOf(row, book_)), " less than ",
                         BaselineCost(), ": ", CostWords(row, book_), " ", BookWords(book_));
        break;
      case Standing::kCheaperLate:
        words =
            absl::StrCat(NameOfRow(row), " misses the objective (", InTime(row), " in time, ",
                         Wanted(), " wanted); it costs ", Part(SavingOf(row, book_)), " less than ",
                         BaselineCost(), ": ", CostWords(row, book_), " ", BookWords(book_));
        break;
      case Standing::kNoDifference:
        words = absl::StrCat("No difference in cost that the data shows: ", NameOfRow(row), " (",
                             CostWords(row, book_), ", ", InTime(row), " in time, ", Wanted(),
                             " wanted) differs by ", Part(SavingOf(row, book_)), " from ",
                             BaselineCost(), ", ", BookWords(book_));
        break;
      default:
        words = Dearer(row);
    }
    return absl::StrCat(words, OtherBook(row), Certainty(row));
  }
  std::string BaselineCost() const {
    return absl::StrCat("the baseline, ", NameOfRow(*baseline_), " (", CostWords(*baseline_, book_),
                        ", ", InTime(*baseline_), " in time)");
  }
  // The baseline is the cheaper one: that comes first, whatever else is good.
  std::string Dearer(const RowOutcome& row) const {
    return absl::StrCat("The baseline is cheaper: ", NameOfRow(*baseline_), " costs ",
                        CostWords(*baseline_, book_), " with ", InTime(*baseline_), " in time",
                        Meets(*baseline_) ? "" : ", which misses the objective", ", and ",
                        NameOfRow(row), " costs ", Part(SavingOf(row, book_)), " more (",
                        CostWords(row, book_), ", ", BookWords(book_), ") with ", InTime(row), " (",
                        Wanted(), " wanted)");
  }
  std::string OtherBook(const RowOutcome& row) const {
    if (!other_book_) return "";
    // Nothing is committed: the same figures again would say nothing.
    const bool is_same = CostOf(row, book_).mean == CostOf(row, *other_book_).mean &&
                         CostOf(*baseline_, book_).mean == CostOf(*baseline_, *other_book_).mean;
    if (is_same) return "";
    const MeanOf& saving = SavingOf(row, *other_book_);
    std::string compared;
    switch (StandingOf(row, *other_book_, attainment_)) {
      case Standing::kNoDifference:
        compared = "as much as the baseline, within what the data shows";
        break;
      case Standing::kDearer:
        compared = Part(saving) + " more";
        break;
      default:
        compared = Part(saving) + " less";
    }
    return absl::StrCat("; ", BookWords(*other_book_), " it costs ", compared, " (",
                        CostWords(row, *other_book_), ")");
  }
  static std::string Certainty(const RowOutcome& row) {
    return row.seeds > 1 ? "" : "; one seed only, so no interval is known";
  }

  Accounting book_;
  std::optional<Accounting> other_book_;
  double attainment_;
  const RowOutcome* baseline_ = nullptr;
  std::vector<const RowOutcome*> others_;
};

std::vector<const RowOutcome*> RowsOf(const ExperimentOutcome& outcome, std::string_view workload) {
  std::vector<const RowOutcome*> rows;
  for (const RowOutcome& row : outcome.rows) {
    if (row.workload == workload) rows.push_back(&row);
  }
  return rows;
}

}  // namespace

const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload) {
  return OneWorkload(RowsOf(outcome, workload), scenario).Best();
}

Standing StandingOf(const RowOutcome& row, Accounting book, double attainment) {
  if (row.is_baseline) return Standing::kBaseline;
  if (row.label == LoadLabel::kOverloaded) return Standing::kOverloaded;
  const MeanOf& saving = SavingOf(row, book);
  if (std::abs(saving.mean) <= saving.half || saving.mean == 0) return Standing::kNoDifference;
  if (saving.mean < 0) return Standing::kDearer;
  return row.attainment.mean >= attainment ? Standing::kCheaper : Standing::kCheaperLate;
}

std::string VerdictSentence(const ExperimentOutcome& outcome, const ScenarioSpec& scenario) {
  std::vector<std::string> workloads;  // in the order of the rows
  for (const RowOutcome& row : outcome.rows) {
    if (std::find(workloads.begin(), workloads.end(), row.workload) == workloads.end())
      workloads.push_back(row.workload);
  }
  std::vector<std::string> clauses;
  for (const std::string& workload : workloads) {
    const std::string words = OneWorkload(RowsOf(outcome, workload), scenario).Words();
    if (words.empty()) continue;
    clauses.push_back(workloads.size() == 1 ? words : absl::StrCat(workload, ": ", words));
  }
  return clauses.empty() ? "" : absl::StrJoin(clauses, ". ") + ".";
}

}  // namespace spillway
