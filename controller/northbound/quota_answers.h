#pragma once

#include <string>

#include "absl/time/time.h"
#include "controller/northbound/openai_errors.h"
#include "controller/quota.h"
#include "net/http.h"

// What OpenAI's clients are told about their quota.
namespace spillway {

// 429. The ticket is over something.
OpenAiError OverQuota(const QuotaTicket& ticket);

// CannotRoute(), which says when there is more money where it is for want of that.
OpenAiError CannotRouteWithin(const QuotaTicket& ticket, Code code, std::string_view model,
                              absl::Time now);

// x-ratelimit-limit-requests, -remaining-requests, -reset-requests; nothing where the tenant has no
// bound of rate.
void AddRateHeaders(const QuotaTicket& ticket, HttpResponse& response);

// "1s", "6m0s": rounded up to seconds.
std::string ResetText(absl::Duration reset);

}  // namespace spillway
