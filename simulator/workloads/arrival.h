#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/work.h"

// What comes to the fleet, one by one in the order of time. Where it comes from (a trace, a
// generator, people who wait for answers, several of them together) nobody behind this line knows.
namespace spillway {

// What will really become of a piece of work. Only the world that runs it may look; whatever
// decides, estimates or explains must do without, as it does in life. No room that decides can
// include this file.
struct Truth {
  std::int64_t output_tokens = 0;  // of each answer; requests
  // What a job really takes: DeclaredSeconds (on a device, or wherever it runs) or ClassUnits.
  Demand run;
};

struct Arrival {
  std::int64_t at = 0;  // ns since the start of the run; never less than the one before
  WorkKind kind = WorkKind::kRequest;  // or kJob
  std::uint32_t part = 0;              // of the workload, in the order of the scenario

  // ---- Requests. Names live as long as the stream.
  std::string_view model, tenant;
  std::int64_t prompt_tokens = 0;            // of batched models without tokens: 0
  std::int64_t items = 1;                    // inputs: images, candidates
  std::optional<std::int64_t> max_tokens;    // as the client asked
  std::optional<absl::Duration> ttft, tpot;  // its objective; none: the scenario's
  // Ids of the leading blocks of its prompt, each of `block_tokens`. Two prompts with the same
  // first k ids begin with the same k blocks. A last block that is not full has an id too where the
  // trace gives one.
  std::vector<std::uint64_t> blocks;
  std::int32_t block_tokens = 512;
  // Of a closed loop: 0 is none. The world hands them to Ended().
  std::uint32_t session = 0;  // a user, from 1, within the part
  std::uint32_t turn = 0;     // of one session, from 1

  // ---- Jobs: all of them have it, with its tenant. A deadline counts from the stream's start
  // time.
  std::shared_ptr<const Work> job;

  Truth truth;
};

// The end of a request that belonged to a session.
struct TurnEnd {
  std::uint32_t part = 0, session = 0, turn = 0;
  std::int64_t at = 0;   // ns since the start of the run
  bool answered = true;  // else the user gives up and begins another session
};

// Pull one after the other: nothing is made ahead of its time. Same spec, same seed, same calls:
// same arrivals. Not thread-safe; streams share nothing but immutable traces.
class ArrivalStream {
 public:
  virtual ~ArrivalStream() = default;

  // Writes over all of `out` (and uses its memory again); false at the end, and from then on.
  virtual bool Next(Arrival& out) = 0;

  // A turn of a session is over, answered or not: what its user asks next, if anything; never
  // earlier than end.at. Next() does not give these: push them as events. Call once for each
  // arrival that has a session.
  virtual bool Ended(const TurnEnd& end, Arrival& out) {
    static_cast<void>(end), static_cast<void>(out);
    return false;
  }
};

}  // namespace spillway
