#pragma once

#include <string>
#include <string_view>

// The text of /metrics in OpenMetrics' form, for scrapers that ask for it.
namespace spillway {

inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

// Whether a client's `Accept` prefers OpenMetrics 1.0 to Prometheus' own text: it names it, with a
// weight that is not 0 and not less than that of text/plain.
bool WantsOpenMetrics(std::string_view accept);

// From Prometheus' text format, version 0.0.4: families of counters lose `_total` (their samples
// keep it), bounds of buckets are written as floats, quotes in help are escaped, and an end is set.
std::string OpenMetricsOf(std::string_view text);

}  // namespace spillway
