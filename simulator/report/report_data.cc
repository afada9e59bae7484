#include "simulator/report/report_data.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "simulator/figures.h"
#include "simulator/verdict.h"

namespace spillway {
namespace {

constexpr int kColours = 8;

}  // namespace

std::string ReportRow::Name() const { return absl::StrCat(row->fleet, " under ", row->policy); }

std::vector<PoolBill> BillsOf(const ReportRow& row) {
  std::vector<PoolBill> bills;
  for (const CellOutcome* cell : row.cells) {
    for (const PoolOutcome& pool : cell->pools) {
      auto known = std::find_if(bills.begin(), bills.end(),
                                [&](const PoolBill& bill) { return bill.name == pool.name; });
      if (known == bills.end())
        known = bills.insert(bills.end(), {pool.name, pool.billing == "committed", 0});
      known->usd += Dollars(pool.bill()) / static_cast<double>(row.cells.size());
    }
  }
  return bills;
}

ReportData::ReportData(const ExperimentOutcome& outcome, const ScenarioSpec& scenario)
    : outcome_(outcome), scenario_(scenario) {
  int number = 0;
  for (const RowOutcome& row : outcome.rows) {
    auto known =
        std::find_if(workloads_.begin(), workloads_.end(),
                     [&](const ReportWorkload& load) { return load.name == row.workload; });
    if (known == workloads_.end())
      known = workloads_.insert(workloads_.end(), {.name = row.workload});
    ReportRow entry{.number = ++number, .row = &row, .cells = {}};
    for (const CellOutcome& cell : outcome.cells) {
      if (cell.fleet == row.fleet && cell.policy == row.policy && cell.workload == row.workload)
        entry.cells.push_back(&cell);
    }
    if (!entry.cells.empty()) known->rows.push_back(std::move(entry));
  }
  for (ReportWorkload& load : workloads_) {
    const RowOutcome* best = BestRow(outcome, scenario, load.name);
    for (const ReportRow& row : load.rows) {
      if (row.row->is_baseline) load.baseline = &row;
      if (row.row == best) load.best = &row;
      load.has_regret |= row.row->avoidable.has_value();
    }
  }
  for (const CellOutcome& cell : outcome.cells) {
    for (const PoolOutcome& pool : cell.pools)
      colours_.emplace(pool.name, static_cast<int>(colours_.size()) % kColours);
  }
}

std::string ReportData::ColourOf(std::string_view pool) const {
  const auto found = colours_.find(pool);
  return absl::StrCat("p", found == colours_.end() ? kColours - 1 : found->second);
}

bool ReportData::has_two_books() const {
  return scenario_.accounting.size() > 1 &&
         std::any_of(outcome_.cells.begin(), outcome_.cells.end(),
                     [](const CellOutcome& cell) { return cell.cost != cell.cost_paid_for; });
}

}  // namespace spillway
