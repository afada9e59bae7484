#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "core/config.h"
#include "core/ids.h"
#include "core/request.h"
#include "core/scenario.h"

namespace spillway {

// How long nodes and engines of a fleet take to come up, by `world.start_up`.
class StartUp {
 public:
  StartUp(const Config& config, const WorldSpec& world);

  bool takes_time() const { return spec_.has_value(); }
  bool cold() const { return spec_ && spec_->cold; }
  absl::Duration boot() const { return spec_ ? spec_->boot : absl::ZeroDuration(); }
  // From the boot of its node to its first request.
  absl::Duration LoadOf(EndpointKey endpoint) const;

 private:
  const std::optional<StartUpSpec> spec_;
  std::vector<std::vector<absl::Duration>> loads_;  // by pool and endpoint
};

}  // namespace spillway
