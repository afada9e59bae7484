#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/ids.h"
#include "core/job.h"
#include "core/work.h"

// What the brain wants done in the world. The host runs a command only after the records of its
// batch are committed, and may run it again after a restart: (job, attempt) makes it happen once.
namespace spillway::command {

struct Launch {
  AttemptKey key;
  std::uint64_t epoch = 0;  // an adapter that has seen a later one refuses
  PoolId pool = kNoPool;
  std::shared_ptr<const Work> work;
  int alternative = -1;  // whose `run` and `needs` count: FaceOf(*work, alternative)
  std::vector<NodeShare> nodes;
  absl::Duration
      modelled_duration{};  // on modelled pools: how long the devices are held, speed-up included
};
struct Cancel {
  AttemptKey key;
  std::uint64_t epoch = 0;
  PoolId pool = kNoPool;
};

using Command = std::variant<Launch, Cancel>;

}  // namespace spillway::command

namespace spillway {
using command::Command;
}  // namespace spillway
