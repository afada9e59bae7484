#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "performance/engine.h"
#include "scheduler/router_view.h"

namespace spillway {

// Prompts of traces come in blocks of so many tokens; engines keep beginnings by them.
inline constexpr std::int32_t kPrefixTokens = 512;

// What one request really is: the truth, which only worlds know.
struct ServerTask {
  std::uint64_t id = 0;            // unique among those in the server
  std::int64_t prompt_tokens = 1;  // engines of tokens
  std::int64_t output_tokens = 1;  // ... cut to what the server can hold; 0: an embedding
  absl::Span<const std::uint64_t> prefix = {};  // must live until the request has left
  int items = 1;                                // servers of batches
};

// What answers behind one endpoint in virtual time: an engine of tokens, or a server of batches. A
// pure state machine of performance/ in either case. Outputs are those of engines: a server of
// batches gives its whole answer as a first and last one.
class ServerModel {
 public:
  virtual ~ServerModel() = default;

  // False: it takes no more, or could never hold it. `now` never goes back over all calls.
  virtual bool Add(const ServerTask& task, absl::Time now) = 0;
  // Begins what can begin, then when something happens next; InfiniteFuture: idle.
  virtual absl::Time NextEvent(absl::Time now) = 0;
  // What has ended by then, appended in the order in which it came.
  virtual void Advance(absl::Time now, std::vector<StepOutput>& out) = 0;
  // How busy it is, [0, 1]: of an engine the fuller one of batch and cache, all of it while
  // anything waits; of a server of batches how much of its best rate it works at.
  virtual double Utilization(absl::Time now) = 0;
  // As it stands now. What its tasks refer to must live as long as the copy.
  virtual std::unique_ptr<ServerModel> Clone() const = 0;
  // All that it holds is lost.
  virtual void Restart() = 0;
  // The longest answer that it has room for beside such a prompt; tokens.
  virtual std::int64_t RoomFor(std::int64_t prompt_tokens) const = 0;
};

std::unique_ptr<ServerModel> MakeServerModel(const Served& served);

}  // namespace spillway
