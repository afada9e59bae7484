#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "simulator/result.h"

// Numbers as people read them in tables, sentences and charts: few digits, and a unit. For bytes
// that are the same everywhere, nothing here depends on a locale.
namespace spillway {

double Dollars(Usd money);
// 1 - cost / against: a fraction, negative where it costs more. 0 where both are nothing; none
// where only `against` is.
std::optional<double> SavingOf(Usd cost, Usd against);
std::string LabelName(LoadLabel label);  // "stable", "backlogged", "overloaded"

// Two decimals from one dollar on, else three significant digits; thousands in groups: "1,204.50",
// "0.0123", "0". No unit.
std::string DollarFigure(double dollars);
std::string DollarInterval(const MeanOf& of);                  // "16.74 ± 0.90": digits alike
std::string PercentFigure(double fraction, int decimals = 1);  // "99.4 %"
// The same for shares of work, which never round up to all of it: "99.99 %", "100 %".
std::string AttainmentFigure(double fraction);
std::string ObjectiveFigure(double fraction);  // as short as it goes: "99 %", "99.95 %"
std::string SecondsFigure(double seconds);     // "85 ms", "1.24 s", "3.2 min"
std::string EnergyFigure(double joules);       // "640 J", "1.2 kWh"
std::string CarbonFigure(double grams);        // "310 g", "1.2 kg"
std::string CountFigure(std::int64_t count);   // "14,176"
// Of the jobs of a row, mean over its seeds; seconds.
struct JobTimes {
  double wait_p50 = 0, wait_p99 = 0, turnaround_p50 = 0, turnaround_p99 = 0, makespan = 0;
  std::optional<double> deadlines_met;  // of the jobs that have one
};
// None: it ran no jobs.
std::optional<JobTimes> JobTimesOf(const std::vector<CellOutcome>& cells, const RowOutcome& row);
// "12.3 ± 0.4": the interval only where there is one.
std::string WithInterval(const std::string& mean, const std::string& half, const MeanOf& of);

}  // namespace spillway
