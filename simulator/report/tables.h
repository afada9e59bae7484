#pragma once

#include <string>

#include "simulator/report/report_data.h"

// The tables of the report, as HTML.
namespace spillway {

// One row a (fleet, policy): means over the seeds with intervals. Costs stand beside attainment.
std::string CostTable(const ReportData& data, const ReportWorkload& load);
std::string LatencyTable(const ReportData& data, const ReportWorkload& load);
// Every cell; the script makes it sortable.
std::string CellTable(const ReportData& data);
// What the fleets are made of, and at which prices.
std::string FleetTable(const ScenarioSpec& scenario, const ExperimentOutcome& outcome);
// The files that the scenario stands on, and their hashes.
std::string InputTable(const ScenarioSpec& scenario);

}  // namespace spillway
