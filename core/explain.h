#pragma once

#include <string>

#include "core/decision.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/work.h"

// The one formatter: words for codes and figures, for an API answer or `spillway explain`. Never
// called while deciding.
namespace spillway {

// "needs 12 GiB, a node has 8 GiB"
std::string Explain(const Candidate& candidate, Code code, const Work& work, const PoolSpec& pool);
// The same for the first code.
std::string Explain(const Candidate& candidate, const Work& work, const PoolSpec& pool);

// Figures as people read them: "12 GiB", "1.5 CPUs", "95 s", "0.0012 USD".
std::string Describe(Bytes bytes);
std::string Describe(MilliCpus cpus);
std::string Describe(
    absl::Duration duration);  // two or three significant digits: "95 s", "1.5 h", "250 ms"
std::string Describe(
    Usd money);  // four significant digits or two decimals: "0.0012 USD", "12.50 USD"

// Exact decimal text with nine places, for JSON: "0.001190000"; whole micro and milli-dollars keep
// their zeros.
std::string Decimal(Usd money);

}  // namespace spillway
