#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "core/config.h"
#include "core/ids.h"
#include "core/job.h"
#include "core/request.h"
#include "core/work.h"

// Every input of the brain. The host numbers them, stamps them with the time of their batch and
// records them; the same events in the same order give the same decisions, always.
namespace spillway::event {

// A controller took over the state folder. `epoch` rises by one each time.
struct Started {
  std::uint64_t epoch = 0;
  std::shared_ptr<const Config> config;
};
struct Submitted {
  std::shared_ptr<const Work> work;  // defaults filled in; the job's id is this event's number
};
struct CancelRequested {
  JobId job{};
};
// What adapters say. An event about an attempt that has ended is ignored.
struct AttemptStarted {
  AttemptKey key;
};
struct AttemptEnded {
  AttemptKey key;
  Fault fault = Fault::kNone;  // kNone: it ended with exit code 0
  std::optional<int> exit_code, signal;
  std::string message;
  std::optional<Joules> metered;  // where the device meters its energy
};
struct NodeSeen {
  PoolId pool = kNoPool;
  int node = 0;
  bool up = true;  // down: what runs there is lost
  // Its owner takes it back. Up: soon, so nothing new starts there, and what runs may end. Down: it
  // is gone, and nobody pays for it until it is up again.
  bool taken_back = false;
};
// What operators say.
struct PoolStateSet {
  PoolId pool = kNoPool;
  PoolState state = PoolState::kActive;
};
struct PoolPriced {
  PoolId pool = kNoPool;
  Price price;
};
struct PoolAdded {
  std::shared_ptr<const PoolSpec> pool;
};
struct PolicySet {
  std::shared_ptr<const PolicySpec> policy;
  bool from_file = false;  // as FileRead, in logs of releases that had none
};
// Only in logs of releases that had no FileRead.
struct PricesSet {
  std::shared_ptr<const PricesSpec> prices;
};
// The configuration file was read again. Its policy, prices, tenants and aliases take the place of
// those in force and its new pools join; pools that it changes or leaves out stay as they are until
// the next Started.
struct FileRead {
  std::shared_ptr<const Config> config;
};
// How dirty a site's electricity is now, as a grid's operator says it.
struct CarbonSeen {
  std::string site;
  GramsCo2ePerKwh intensity{};
  absl::Time as_of;  // of the reading; it may be older than the event
};
// What is seen of engines: whether one answers, and which models it serves (none said: those of its
// `serves`). The host says so when it changes.
struct EndpointSeen {
  EndpointKey endpoint;
  bool up = false;
  std::vector<std::string> models;
};
// Requests that are over, in the order in which they ended; at most kMostRequests.
inline constexpr std::size_t kMostRequests = 4096;
struct RequestsEnded {
  std::vector<std::shared_ptr<const Request>> requests;
};
// The instant that Brain::NextTimer asked for has come.
struct TimerFired {};

using Body = std::variant<Started, Submitted, CancelRequested, AttemptStarted, AttemptEnded,
                          NodeSeen, PoolStateSet, PoolPriced, PoolAdded, PolicySet, PricesSet,
                          TimerFired, EndpointSeen, RequestsEnded, CarbonSeen, FileRead>;

}  // namespace spillway::event

namespace spillway {

struct Event {
  EventNumber number{};
  absl::Time at;  // never before the event in front of it
  event::Body body;
};

}  // namespace spillway
