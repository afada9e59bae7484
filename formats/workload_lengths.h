#pragma once

#include <optional>
#include <string>

#include "core/workload.h"
#include "formats/reader.h"

// Parts of a workload's text, for formats/workload_file.cc.
namespace spillway {

// A number that differs: `512`, {lognormal: {p50, p99, most}}, {quantiles: {p1: ..., p50: ...}},
// {column: {file, name, most}}. With `is_span`, values are durations ("5min"), kept as seconds.
void ReadLength(const Place& at, const std::string& folder, bool is_span, LengthSpec& out);

// "5/s", "90/min", "3/h", "1/d" as arrivals a second, > 0 and at most a million.
void ReadArrivalRate(const Place& at, double& out);

// A file named by the scenario, joined to its folder.
void ReadFileName(const Place& at, const std::string& folder, std::string& out);

// One of the keys `trace`, `poisson`, `gamma`, `on-off`, `diurnal` and `sessions`, and what else
// belongs to a trace. Notes if there is none, or more than one.
void ReadArrivals(ObjectReader& r, const std::string& folder, ArrivalSpec& out);

}  // namespace spillway
