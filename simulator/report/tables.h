#pragma once

#include <string>

#include "simulator/report/report_data.h"

// The tables of the report, as HTML.
namespace spillway {

// One row a (fleet, policy): means over the seeds with intervals. Costs stand beside attainment.
std::string CostTable(const ReportData& data, const ReportWorkload& load);
std::string LatencyTable(const ReportData& data, const ReportWorkload& load);
// What each pool of the row's fleet could have done by itself, beside what it did. Empty where
// there is one pool only.
std::string CoverageTable(const ReportRow& row);
// Every cell; the script makes it sortable.
std::string CellTable(const ReportData& data);
// What the fleets are made of, and at which prices.
std::string FleetTable(const ScenarioSpec& scenario, const ExperimentOutcome& outcome);
// The files that the scenario stands on, and their hashes.
std::string InputTable(const ScenarioSpec& scenario);

// A figure of the inputs varied on its own (simulator/report/variation_tables.cc).
std::string SweepTable(const ReportData& data, const SweepOutcome& sweep);
// Up to which load the first device is cheaper by each price list; how many nodes it takes of both.
std::string BreakEvenTable(const BreakEvenOutcome& even);
std::string BreakEvenNodesTable(const BreakEvenOutcome& even);

}  // namespace spillway
