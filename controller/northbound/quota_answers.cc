#include "controller/northbound/quota_answers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace spillway {
namespace {

// The official client goes its own way where it is told to wait longer than a minute.
constexpr std::int64_t kLongestWait = 60;

std::int64_t SecondsUp(absl::Duration time) {
  return std::max<std::int64_t>(absl::ToInt64Seconds(absl::Ceil(time, absl::Seconds(1))), 0);
}

}  // namespace

OpenAiError OverQuota(const QuotaTicket& ticket) {
  SPILLWAY_CHECK(ticket.over() != Over::kNone);
  OpenAiError error{.status = 429, .type = "rate_limit_error", .code = "rate_limit_exceeded"};
  const std::int64_t wait = std::max<std::int64_t>(SecondsUp(ticket.retry_after()), 1);
  error.retry = ticket.over() != Over::kDollars;
  error.retry_after_seconds = static_cast<int>(error.retry ? std::min(wait, kLongestWait) : wait);
  if (ticket.over() == Over::kRate) {
    error.message = "your tenant has sent as many requests within a minute as its quota allows";
  } else if (ticket.over() == Over::kConcurrency) {
    error.message = "as many requests of your tenant are under way as its quota allows";
  } else {
    error.message =
        "what is left of your tenant's budget of this day or month (UTC) is less than this request "
        "may cost; with a smaller `max_tokens` it may cost less";
    error.code = "insufficient_quota";
  }
  return error;
}

OpenAiError CannotRouteWithin(const QuotaTicket& ticket, Code code, std::string_view model,
                              absl::Time now) {
  OpenAiError error = CannotRoute(code, model);
  if (code == Code::kBudget)
    error.retry_after_seconds = static_cast<int>(SecondsUp(ticket.until_more(now)));
  return error;
}

void AddRateHeaders(const QuotaTicket& ticket, HttpResponse& response) {
  if (!ticket.rate()) return;
  response.headers.Add("x-ratelimit-limit-requests", absl::StrCat(ticket.rate()->limit));
  response.headers.Add("x-ratelimit-remaining-requests", absl::StrCat(ticket.rate()->remaining));
  // The window is a minute; the second that has begun counts whole within it.
  const absl::Duration reset = std::min(ticket.rate()->reset, absl::Seconds(kLongestWait));
  response.headers.Add("x-ratelimit-reset-requests", ResetText(reset));
}

std::string ResetText(absl::Duration reset) {
  const std::int64_t seconds = SecondsUp(reset);
  if (seconds < 60) return absl::StrCat(seconds, "s");
  return absl::StrCat(seconds / 60, "m", seconds % 60, "s");
}

}  // namespace spillway
