#include "controller/northbound/work_body.h"

#include <utility>

#include "core/status.h"
#include "formats/work_text.h"

namespace spillway {

absl::StatusOr<std::shared_ptr<const Work>> WorkOf(std::string_view body, const std::string& tenant,
                                                   const Snapshot& snapshot) {
  SPILLWAY_ASSIGN_OR_RETURN(Work work, ParseWork(body, snapshot.policy->objectives));
  work.tenant = tenant;
  return std::make_shared<const Work>(std::move(work));
}

}  // namespace spillway
