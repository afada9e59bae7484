#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "core/clock.h"
#include "core/request.h"
#include "core/router_inputs.h"

namespace spillway {

// What an operator wants to know of engines, one line each, when it changes: an engine goes down or
// comes back, is left out after failures or returns, fails a request or refuses us, or its list of
// models cannot be read. At most kMostLines a minute; what is left out is counted in the next line.
// Thread-safe.
class EngineLog {
 public:
  static constexpr int kMostLines = 60;
  static constexpr std::size_t kLongestReason = 200;  // bytes; engines say it, in part
  // `bad`: worth a warning. Called under a lock: must not call back.
  using Write = std::function<void(bool bad, std::string_view line)>;
  EngineLog(const Clock& clock, Write write) : clock_(clock), write_(std::move(write)) {}

  // What the engine was found to be; `name` is "a10/0". The first time only what is wrong is said.
  void OnHealth(std::string_view name, bool up, std::string_view why);
  void OnModels(std::string_view name, std::string_view why);  // "": they can be read

  // What the router rests on now.
  void OnInputs(std::shared_ptr<const RouterInputs> inputs);
  // A request is over.
  void OnEnded(const Request& request);

 private:
  void Say(bool bad, std::string line);  // mutex_ is held
  std::string NameOf(EndpointKey key) const;

  const Clock& clock_;
  const Write write_;
  std::mutex mutex_;  // guards all below
  // By name: as many as the fleet has engines.
  std::set<std::string, std::less<>> down_, unread_;
  std::set<EndpointKey> ejected_, failing_;
  std::shared_ptr<const RouterInputs> inputs_;
  absl::Time minute_ = absl::InfinitePast();
  int lines_ = 0, left_out_ = 0;
};

}  // namespace spillway
