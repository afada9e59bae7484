#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/workload.h"
#include "formats/traces/reader.h"
#include "simulator/workloads/arrival.h"

namespace spillway {

// What was read for one part, for the report of an experiment.
struct PartReport {
  std::string name;
  std::string file;       // empty: made by a generator
  TraceReport trace;      // of what was read: a part with `for:` reads no further than it needs
  absl::Duration span{};  // of the part in the run; `for:`, or as long as its trace lasts
};

// A part of a workload, with its files read.
class WorkloadPart {
 public:
  virtual ~WorkloadPart() = default;
  // `number`: its place in the workload. Of a stream that lives no longer than this part.
  virtual std::unique_ptr<ArrivalStream> Open(std::uint32_t number, absl::Time start,
                                              std::uint64_t seed) const = 0;
  virtual PartReport report() const = 0;
};

// A workload with its traces in memory (some 32 bytes a request), ready to be run many times: by
// one cell after the other, or by several threads at once.
class Workload {
 public:
  // Reads every file to its end, or to where `for:` ends, so that whatever is wrong with one is
  // told before anything runs. kInvalidArgument with findings, kNotFound, kUnavailable.
  static absl::StatusOr<Workload> Load(const WorkloadSpec& spec);

  // What comes in one run that begins at `start`. Seed 0 replays traces as they are; any other one
  // draws them anew from blocks of their own time (moving-block bootstrap). Generators draw from
  // the seed in any case. The stream lives no longer than the workload.
  std::unique_ptr<ArrivalStream> Open(absl::Time start, std::uint64_t seed) const;

  const std::string& name() const { return name_; }
  std::vector<PartReport> reports() const;

 private:
  std::string name_;
  std::vector<std::unique_ptr<const WorkloadPart>> parts_;
};

}  // namespace spillway
