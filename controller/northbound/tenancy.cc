#include "controller/northbound/tenancy.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

// A name that no tenant can have: names begin with a letter or a digit. ("" is whose idle time is.)
constexpr std::string_view kNobody = "-";

}  // namespace

std::optional<std::string> TenantShown(const Call& call, std::optional<std::string> asked) {
  if (call.role >= Role::kOperator) return asked;
  if (!asked || *asked == call.tenant) return call.tenant;
  return std::string(kNobody);
}

absl::StatusOr<Job> FindJobFor(Api& api, const Call& call, const std::string& name) {
  absl::StatusOr<Job> job = absl::NotFoundError("");
  if (const auto id = ParseJobId(name)) job = api.host().archive().FindJob(*id);
  if (job.ok() ? !Sees(call, job->work->tenant) : absl::IsNotFound(job.status()))
    return absl::NotFoundError(absl::StrCat("there is no job ", name));
  return job;
}

}  // namespace spillway
