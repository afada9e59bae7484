#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/pool.h"
#include "core/record.h"

// The ledger as FOCUS 1.2 (FinOps Open Cost and Usage Specification, June 2025): one row for each
// row of the ledger, so that the sums of BilledCost and of the ledger are the same to the
// nano-dollar.
//
// All four costs are the allocated cost: there is one price, and nothing is prepaid elsewhere. Idle
// time is Usage of capacity with the status "Unused". A saving is in no cost column: what the work
// would have cost stands in x_BaselineCost alone. Unit prices are left out, since the price may
// change within the hour of a row; PricingQuantity is what was paid for (node-hours, or tokens).
namespace spillway {

inline constexpr std::string_view kFocusVersion = "1.2";

// Names in the order of the columns: the 21 mandatory ones first, our own (x_...) last.
const std::vector<std::string_view>& FocusColumns();

// RFC 4180: lines end in CR LF, texts with commas, quotes or line ends stand between quotes, null
// is nothing at all.
void AppendFocusHeader(std::string& out);
// `pool`: null where nobody knows it any more.
void AppendFocusRow(std::string& out, const record::LedgerRow& row, const PoolSpec* pool);

}  // namespace spillway
