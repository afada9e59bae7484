#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/policy_spec.h"
#include "core/pool.h"

namespace spillway {

// All that the brain is configured with. It is part of the event log, so that an old decision can
// be made again long after the files have changed.
struct Config {
  FleetSpec fleet;
  PolicySpec policy;
  PricesSpec prices;
  TenantsSpec tenants;
  Catalog catalog;
};

// `kind: Server`: how the live host runs. The brain never sees it.
struct ApiKey {
  std::string name, sha256, tenant, role;
};
struct ServerSpec {
  std::string listen = "127.0.0.1:8080";  // HOST:PORT; port 0: chosen by the kernel
  absl::Duration drain = absl::Seconds(10);
  std::string sqlite = "spillway.db";  // relative to the state folder
  std::vector<ApiKey> keys;
};

}  // namespace spillway
