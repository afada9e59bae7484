#include "simulator/replay/recorded_work.h"

#include <algorithm>

#include "core/units.h"

namespace spillway {
namespace {

constexpr std::int64_t kUnknown = -1;
constexpr double kBytesPerToken = 4;  // where no engine has counted
// Blocks of recorded prompts are of kPrefixBlockBytes: of so many tokens at kBytesPerToken.
constexpr std::int32_t kBlockTokens = kPrefixBlockBytes / 4;

// The model that shall answer: what the client named, but for the first attempt of a cascade.
const std::string& AskedModel(const Request& request) {
  const bool first_of_cascade = request.cascade && request.cascade->attempt == 1;
  return first_of_cascade && !request.features.models.empty() ? request.features.models.front()
                                                              : request.features.model;
}

}  // namespace

std::uint32_t RecordedRequests::NameOf(const std::string& name) {
  const auto [place, is_new] =
      places_.emplace(name, static_cast<std::uint32_t>(work_.names.size()));
  if (is_new) work_.names.push_back(name);
  return place->second;
}

void RecordedRequests::Add(const Request& request, absl::Time start) {
  const RequestFeatures& asked = request.features;
  RecordedRequest out;
  out.at = std::max<std::int64_t>(ToNanos(asked.arrived - start), 0);
  out.model = NameOf(AskedModel(request));
  out.tenant = NameOf(asked.tenant);
  out.max_tokens = asked.max_tokens.value_or(kUnknown);
  if (asked.ttft) out.ttft = ToNanos(*asked.ttft);
  if (asked.tpot) out.tpot = ToNanos(*asked.tpot);
  out.prefix = work_.prefixes.size();
  out.prefix_blocks = static_cast<std::uint32_t>(asked.prefix.size());
  work_.prefixes.insert(work_.prefixes.end(), asked.prefix.begin(), asked.prefix.end());
  if (request.cached_tokens.value_or(0) > 0) work_.engines_keep_prefixes = true;

  OfModel& model = models_[out.model];
  if (asked.kind == ModelKind::kBatch) {  // how much it was is in its inputs
    out.items = std::max(asked.items, 1);
    work_.requests.push_back(out);
    return;
  }
  // Bytes stand here until Finish() knows how many of them are a token.
  out.prompt_tokens = request.prompt_tokens.value_or(-asked.prompt_bytes - 1);
  if (request.prompt_tokens) {
    model.bytes += asked.prompt_bytes;
    model.tokens += *request.prompt_tokens;
  }
  const bool whole = request.end == RequestEnd::kAnswered;
  if (asked.kind == ModelKind::kEmbedding) {
    out.output_tokens = 0;
  } else if (whole && request.output_tokens) {
    out.output_tokens = *request.output_tokens;
    ++model.outputs[out.output_tokens];
  } else {
    out.output_tokens = kUnknown;
    ++assumed_;
  }
  work_.requests.push_back(out);
}

std::int64_t RecordedRequests::TypicalOutput(std::uint32_t model) const {
  const auto& outputs = models_.at(model).outputs;
  std::int64_t all = 0, so_far = 0;
  for (const auto& [length, count] : outputs) all += count;
  for (const auto& [length, count] : outputs) {
    so_far += count;
    if (2 * so_far >= all) return std::max<std::int64_t>(length, 1);
  }
  return 256;  // no answer of it was ever counted
}

void RecordedRequests::Finish() {
  for (RecordedRequest& request : work_.requests) {
    const OfModel& model = models_.at(request.model);
    if (request.prompt_tokens < 0) {
      const double bytes = static_cast<double>(-(request.prompt_tokens + 1));
      const double per_token =
          model.tokens > 0 && model.bytes > 0
              ? static_cast<double>(model.bytes) / static_cast<double>(model.tokens)
              : kBytesPerToken;
      request.prompt_tokens =
          std::max<std::int64_t>(static_cast<std::int64_t>(bytes / per_token), 1);
    }
    if (request.output_tokens == kUnknown) request.output_tokens = TypicalOutput(request.model);
  }
  std::stable_sort(work_.requests.begin(), work_.requests.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
}

// --- The stream ----------------------------------------------------------------------------------

namespace {

class ReplayedArrivals final : public ArrivalStream {
 public:
  explicit ReplayedArrivals(std::shared_ptr<const RecordedWork> work) : work_(std::move(work)) {}

  bool Next(Arrival& out) override {
    while (job_ < work_->jobs.size() && work_->jobs[job_].left_out) ++job_;
    const bool requests_left = request_ < work_->requests.size();
    const bool jobs_left = job_ < work_->jobs.size();
    if (!requests_left && !jobs_left) return false;
    out = Arrival();
    if (jobs_left && (!requests_left || work_->jobs[job_].at <= work_->requests[request_].at)) {
      TakeJob(work_->jobs[job_++], out);
    } else {
      TakeRequest(work_->requests[request_++], out);
    }
    return true;
  }

 private:
  static void TakeJob(const RecordedJob& job, Arrival& out) {
    out.at = job.at;
    out.kind = WorkKind::kJob;
    out.job = job.work;
    out.tenant = job.work->tenant;
    out.truth.run = job.took;
  }

  void TakeRequest(const RecordedRequest& request, Arrival& out) const {
    out.at = request.at;
    out.model = work_->names[request.model];
    out.tenant = work_->names[request.tenant];
    out.prompt_tokens = request.prompt_tokens;
    out.items = request.items;
    if (request.max_tokens >= 0) out.max_tokens = request.max_tokens;
    if (request.ttft >= 0) out.ttft = absl::Nanoseconds(request.ttft);
    if (request.tpot >= 0) out.tpot = absl::Nanoseconds(request.tpot);
    out.truth.output_tokens = request.output_tokens;
    // Hashes are chained: every second one names two blocks, as engines that keep beginnings
    // count them. Where none does, blocks are as they were recorded, and engines do not look.
    const std::size_t step = work_->engines_keep_prefixes ? 2 : 1;
    out.block_tokens = static_cast<std::int32_t>(step) * kBlockTokens;
    for (std::size_t i = step - 1; i < request.prefix_blocks; i += step)
      out.blocks.push_back(work_->prefixes[request.prefix + i]);
  }

  std::shared_ptr<const RecordedWork> work_;
  std::size_t request_ = 0, job_ = 0;
};

}  // namespace

std::unique_ptr<ArrivalStream> Replayed(std::shared_ptr<const RecordedWork> work) {
  return std::make_unique<ReplayedArrivals>(std::move(work));
}

}  // namespace spillway
