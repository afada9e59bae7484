#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/machine.h"
#include "formats/config_file.h"

namespace spillway {

// A configuration that may be served: read, checked as a whole, flags laid over it.
struct ServeConfig {
  LoadedConfig loaded;
  std::vector<std::string> warnings;  // words for the log
};

// kInvalidArgument: keys that make no sense, no address, or one that others can reach and no keys.
absl::Status CheckServer(const ServerSpec& server);

// kInvalidArgument with all that is wrong: the file itself, a policy that does not hold together
// over the fleet, keys that make no sense, an address that others can reach without any keys.
absl::StatusOr<ServeConfig> LoadServeConfig(const std::string& path, const Catalog& catalog,
                                            const Machine& machine,
                                            const std::optional<std::string>& listen);

}  // namespace spillway
