#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/request.h"
#include "core/work.h"
#include "simulator/workloads/arrival.h"

namespace spillway {

// What came to a controller, as its log says it, and what became of it: small values, for millions
// of them are kept at once.
struct RecordedRequest {
  std::int64_t at = 0;                                // ns since the start of the record
  std::uint32_t model = 0, tenant = 0;                // places in RecordedWork::names
  std::int64_t prompt_tokens = 0, output_tokens = 0;  // 0 where a model has no tokens
  std::int32_t items = 1;                             // inputs of such a model
  std::int64_t max_tokens = -1;                       // -1: not asked for
  std::int64_t ttft = -1, tpot = -1;                  // ns; -1: not asked for
  std::uint64_t prefix = 0;  // place of the first of its blocks in RecordedWork::prefixes
  std::uint32_t prefix_blocks = 0;
};
struct RecordedJob {
  std::int64_t at = 0;
  std::shared_ptr<const Work> work;
  Demand took;  // what it really takes; none: it never came to an end
  bool left_out = false;
};

struct RecordedWork {
  std::vector<std::string> names;  // models and tenants
  std::vector<RecordedRequest> requests;
  std::vector<std::uint64_t> prefixes;
  std::vector<RecordedJob> jobs;
  bool engines_keep_prefixes = false;  // some engine said that it found tokens in its cache
};

// More are not read into memory.
inline constexpr std::size_t kMostRecorded = 50'000'000;

// Gathers requests as they ended. Prompts without a count get one by their bytes, answers that
// never came the length that this model's answers mostly had.
class RecordedRequests {
 public:
  explicit RecordedRequests(RecordedWork& work) : work_(work) {}

  void Add(const Request& request, absl::Time start);
  // After the last Add: fills in what was unknown, sorts by arrival.
  void Finish();
  std::int64_t assumed() const { return assumed_; }  // answers whose length is not known

 private:
  struct OfModel {
    std::int64_t bytes = 0, tokens = 0;
    std::map<std::int64_t, std::int64_t> outputs;  // answers by length
  };
  std::uint32_t NameOf(const std::string& name);
  std::int64_t TypicalOutput(std::uint32_t model) const;
  RecordedWork& work_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
  std::map<std::uint32_t, OfModel> models_;
  std::int64_t assumed_ = 0;
};

// The same arrivals as were recorded, at the same times.
std::unique_ptr<ArrivalStream> Replayed(std::shared_ptr<const RecordedWork> work);

}  // namespace spillway
