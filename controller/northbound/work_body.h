#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controller/snapshot.h"
#include "core/work.h"

namespace spillway {

// The work that a body describes, as `tenant`'s, with the defaults of the policy in force filled
// in: every job has an objective. kInvalidArgument with findings (formats/findings.h) if it
// describes none, or names a pool, a device or a class of work that there is not.
absl::StatusOr<std::shared_ptr<const Work>> WorkOf(std::string_view body, const std::string& tenant,
                                                   const Snapshot& snapshot);

}  // namespace spillway
