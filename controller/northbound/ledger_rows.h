#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "controller/archive.h"
#include "controller/northbound/api.h"
#include "controller/northbound/route.h"
#include "controller/northbound/views.h"
#include "core/record.h"
#include "net/server.h"

namespace spillway {

inline constexpr absl::Duration kLongestLedger = absl::Hours(24 * 366);

// Rows of the ledger, those of the current hour as they stand now. kDeadlineExceeded: the host did
// not answer in time. The references live until the caller has the answer.
Awaitable<absl::StatusOr<std::vector<record::LedgerRow>>> ReadLedger(Api& api, const Call& call,
                                                                     const LedgerQuery& query,
                                                                     const PoolNames& names);

// What went wrong with it, as an answer.
HttpResponse LedgerProblem(const HttpRequest& request, const absl::Status& status);

}  // namespace spillway
