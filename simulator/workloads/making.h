#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/workload.h"
#include "formats/traces/row.h"
#include "simulator/random_stream.h"
#include "simulator/workloads/arrival.h"
#include "simulator/workloads/lengths.h"

// From numbers to arrivals: what all arrivals of one part have in common. For the streams in this
// folder.
namespace spillway {

// How a stream is opened. Names of its random streams: "NAME/arrivals", "NAME/prompts", ...
struct StreamOptions {
  std::uint32_t part = 0;
  absl::Time start;
  std::uint64_t seed = 0;
};
RandomStream PartRandom(const PartSpec& part, const StreamOptions& options, std::string_view what);

// Where a part ends in the run, in ns; kNever if it has no `for:`.
std::int64_t PartEnd(const PartSpec& part);

// Everything as it was made, but for its time and part, and for the memory of its blocks.
void ClearArrival(Arrival& out, std::int64_t at, std::uint32_t part);

class RequestMaker {
 public:
  // Tokens of a block of what a part's prompts share; a trace's blocks have their own size.
  static constexpr std::int64_t kBlockTokens = 256;

  // `part` outlives this.
  RequestMaker(const PartSpec& part, const StreamOptions& options);

  // One of the part's models by its shares; empty if the part names none.
  std::string_view Model(RandomStream& random) const;
  // Clears `out` and fills in what does not depend on its size. An empty tenant is "default"; the
  // part's own counts first.
  void Begin(Arrival& out, std::int64_t at, std::string_view model,
             std::string_view tenant = "") const;
  // Its size. `max_tokens` of the part counts before the trace's and cuts the answer.
  void Size(Arrival& out, std::int64_t prompt, std::int64_t output, std::int64_t items,
            std::optional<std::int64_t> max_tokens = std::nullopt) const;
  // Ids of the leading blocks that every prompt of the part shares.
  void ShareBlocks(Arrival& out) const;
  std::uint64_t salt() const { return salt_; }

 private:
  const PartSpec& part_;
  std::uint32_t number_;
  std::uint64_t salt_;
};

class JobMaker {
 public:
  struct Samplers {
    std::optional<LengthSampler> units, duration;
    static absl::StatusOr<Samplers> Load(const JobSpec& spec);
  };

  // `part` and `samplers` outlive this.
  JobMaker(const PartSpec& part, const Samplers& samplers, const StreamOptions& options);

  // A job of the part's document.
  void Make(Arrival& out, std::int64_t at);
  // The same with what a trace says: needs, demand, name and tenant.
  void Make(Arrival& out, std::int64_t at, const TraceRow& row);

 private:
  void Finish(Arrival& out, std::int64_t at, Work work, Demand demand);

  const PartSpec& part_;
  const Samplers& samplers_;
  StreamOptions options_;
  RandomStream sizes_;
  std::shared_ptr<const Work> same_;  // of all jobs that do not differ
};

}  // namespace spillway
