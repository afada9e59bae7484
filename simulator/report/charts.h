#pragma once

#include <string>

#include "simulator/report/report_data.h"

// The charts of the report: each a whole <svg>, `width` pixels wide. `id` is unique in the page.
namespace spillway {

struct ChartSpot {
  int width = 0;
  std::string id;
};

// Cost (across) against attainment (up), one point a row; with two books, what is left when
// committed pools are paid for stands as a hollow point beside it.
std::string CostAgainstSlo(const ReportData& data, const ReportWorkload& load,
                           const ChartSpot& spot);
// From the baseline's bill to a row's, pool by pool; then what is paid for already.
std::string Waterfall(const ReportData& data, const ReportWorkload& load, const ReportRow& row,
                      const ChartSpot& spot);
// How full each pool was over time, of the row's first seed.
std::string UtilizationStrips(const ReportData& data, const ReportRow& row, const ChartSpot& spot);
// Time to the first token: what fraction of requests had it by then, of each row's first seed.
// Empty if no row answered requests.
std::string FirstTokenCdf(const ReportData& data, const ReportWorkload& load,
                          const ChartSpot& spot);
// Work that its first pool in claim order did not take, by reason, mean over seeds. Empty if none.
std::string SpillBars(const ReportData& data, const ReportRow& row, const ChartSpot& spot);
// Cost and work in time (up) over the factor of the input that was varied (across, logarithmic).
std::string SweepChart(const ReportData& data, const SweepOutcome& sweep, const ChartSpot& spot);

}  // namespace spillway
