#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/scenario.h"
#include "simulator/result.h"

// An experiment as the report looks at it: rows with numbers that all charts and tables share, the
// cells of each, and one colour for each pool.
namespace spillway {

struct ReportRow {
  int number = 0;  // from 1, in the order of the outcome
  const RowOutcome* row = nullptr;
  std::vector<const CellOutcome*> cells;  // by seed; never empty
  std::string Name() const;               // "mixed under backstop"
};

struct ReportWorkload {
  std::string name;
  std::vector<ReportRow> rows;
  const ReportRow* baseline = nullptr;  // null: the baseline was not run with it
  const ReportRow* best = nullptr;      // the verdict's; null: there is none
  bool has_regret = false;              // some row has placements on a last resort
};

// A pool's mean over the seeds of a row, in dollars.
struct PoolBill {
  std::string name;
  bool is_committed = false;
  double usd = 0;
};
std::vector<PoolBill> BillsOf(const ReportRow& row);

class ReportData {
 public:
  // Both outlive this.
  ReportData(const ExperimentOutcome& outcome, const ScenarioSpec& scenario);
  ReportData(const ReportData&) = delete;
  ReportData& operator=(const ReportData&) = delete;

  const ExperimentOutcome& outcome() const { return outcome_; }
  const ScenarioSpec& scenario() const { return scenario_; }
  const std::vector<ReportWorkload>& workloads() const { return workloads_; }
  // A class of the style sheet: "p0" to "p7", by the order in which pools are first met.
  std::string ColourOf(std::string_view pool) const;
  bool has_two_books()
      const;  // some committed pool makes a difference, and both books are asked for

 private:
  const ExperimentOutcome& outcome_;
  const ScenarioSpec& scenario_;
  std::vector<ReportWorkload> workloads_;
  std::map<std::string, int, std::less<>> colours_;
};

}  // namespace spillway
