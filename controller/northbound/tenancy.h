#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controller/northbound/api.h"
#include "controller/northbound/route.h"
#include "core/job.h"

// What a caller may see: what is of his own tenant, and operators everything. What is somebody
// else's is answered as what is not there, in the same words.
namespace spillway {

inline bool Sees(const Call& call, std::string_view tenant) {
  return call.role >= Role::kOperator || call.tenant == tenant;
}

// The tenant that a list is narrowed to, where `asked` is what the caller wants narrowed to; none:
// all tenants.
std::optional<std::string> TenantShown(const Call& call, std::optional<std::string> asked);

// kNotFound: there is no such job for this caller.
absl::StatusOr<Job> FindJobFor(Api& api, const Call& call, const std::string& name);

}  // namespace spillway
