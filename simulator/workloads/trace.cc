#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/traces/reader.h"
#include "simulator/workloads/arrival_times.h"
#include "simulator/workloads/draw.h"
#include "simulator/workloads/lengths.h"
#include "simulator/workloads/making.h"
#include "simulator/workloads/parts.h"

namespace spillway {
namespace {

constexpr std::size_t kMostRequests = 20'000'000, kMostJobs = 1'000'000;
constexpr std::size_t kMostBlocks = 200'000'000, kMostLabels = 10'000;
constexpr std::int32_t kTraceBlockTokens = 512;  // Mooncake's; spillway-csv and -jsonl follow it

// What is kept of a row: 32 bytes.
struct KeptRow {
  std::int64_t at = 0;       // ns since `from`, on the trace's own clock
  std::uint32_t prompt = 0;  // tokens; of a job: its place among the jobs
  std::uint32_t output = 0, items = 1;
  std::int32_t max_tokens = -1;   // -1: not said
  std::uint32_t label = 0;        // model and tenant; kJobLabel: a job
  std::uint32_t first_block = 0;  // up to that of the next row
};
static_assert(sizeof(KeptRow) == 32);
constexpr std::uint32_t kJobLabel = std::numeric_limits<std::uint32_t>::max();

struct LoadedTrace {
  std::vector<KeptRow> rows;
  std::vector<std::pair<std::string, std::string>> labels;  // model, tenant
  std::vector<std::uint64_t> blocks;
  std::vector<TraceRow> jobs;
  std::int64_t span = 0;  // ns of its own clock
  TraceReport report;
};

// Adds rows, and numbers the pairs of model and tenant in the order in which they come.
class TraceKeeper {
 public:
  TraceKeeper(const std::string& file, LoadedTrace& trace)
      : file_(file), salt_(MakeRandomStream(0, file)()), trace_(trace) {}

  absl::Status Keep(TraceRow row, std::int64_t at) {
    KeptRow kept{.at = at, .first_block = static_cast<std::uint32_t>(trace_.blocks.size())};
    if (row.is_job) {
      if (trace_.jobs.size() == kMostJobs) return TooMany(kMostJobs, "jobs");
      kept.label = kJobLabel;
      kept.prompt = static_cast<std::uint32_t>(trace_.jobs.size());
      trace_.jobs.push_back(std::move(row));
    } else {
      if (trace_.rows.size() >= kMostRequests) return TooMany(kMostRequests, "rows");
      if (trace_.blocks.size() + row.blocks.size() > kMostBlocks) {
        return TooMany(kMostBlocks, "block ids");
      }
      kept.prompt = static_cast<std::uint32_t>(row.prompt_tokens);
      kept.output = static_cast<std::uint32_t>(row.output_tokens);
      kept.items = static_cast<std::uint32_t>(row.items);
      if (row.max_tokens) kept.max_tokens = static_cast<std::int32_t>(*row.max_tokens);
      for (const std::uint64_t id : row.blocks) trace_.blocks.push_back(MixWords(salt_, id));
      kept.label = LabelOf(row);
      if (trace_.labels.size() > kMostLabels) return TooMany(kMostLabels, "models and tenants");
    }
    trace_.rows.push_back(kept);
    return absl::OkStatus();
  }

 private:
  absl::Status TooMany(std::size_t most, const char* what) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ": holds more than ", most, " ", what,
                                                   ": take a part of it with `from` and `for`"));
  }
  std::uint32_t LabelOf(const TraceRow& row) {
    const auto next = static_cast<std::uint32_t>(trace_.labels.size());
    const auto [known, is_new] = numbers_.try_emplace({row.model, row.tenant}, next);
    if (is_new) trace_.labels.emplace_back(row.model, row.tenant);
    return known->second;
  }

  std::string file_;
  std::uint64_t salt_;
  LoadedTrace& trace_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
};

// The rows from `from` on; with `for:`, as many as it takes. The trace's own clock runs `rate`
// times as fast as the run's.
absl::StatusOr<LoadedTrace> LoadTrace(const PartSpec& part, const TraceSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto reader, TraceReader::Open(spec));
  const std::int64_t from = ToNanos(spec.from);
  std::int64_t length = ArrivalTimes::kNever;
  if (part.lasts) length = ArrivalNanos(absl::ToDoubleSeconds(*part.lasts) * spec.rate);
  LoadedTrace trace;
  TraceKeeper keeper(spec.file, trace);
  TraceRow row;
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, reader->Next(row));
    if (!is_there || row.at - from >= length) break;
    if (row.at < from) continue;
    const std::int64_t at = row.at - from;
    if (!row.is_job && part.request.models.empty() && row.model.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(spec.file, ": names no model for the request at ",
                       static_cast<double>(row.at) / 1e9, " s: the part wants the key `model`"));
    }
    SPILLWAY_RETURN_IF_ERROR(keeper.Keep(std::move(row), at));
  }
  trace.report = reader->report();
  if (trace.rows.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(spec.file, ": no row lies between `from` and the end of `for`"));
  }
  trace.span = std::min(length, trace.rows.back().at + 1);
  return trace;
}

class TracePart final : public WorkloadPart {
 public:
  TracePart(PartSpec part, TokenSamplers tokens, JobMaker::Samplers sizes, LoadedTrace trace)
      : spec(std::move(part)),
        source(std::get<TraceSpec>(spec.arrivals)),
        tokens(std::move(tokens)),
        sizes(std::move(sizes)),
        trace(std::move(trace)) {}
  std::unique_ptr<ArrivalStream> Open(std::uint32_t number, absl::Time start,
                                      std::uint64_t seed) const override;
  PartReport report() const override {
    const auto span = absl::Nanoseconds(trace.span) / source.rate;
    return {spec.name, source.file, trace.report, spec.lasts.value_or(RoundToNanos(span))};
  }

  const PartSpec spec;
  const TraceSpec source;
  const TokenSamplers tokens;
  const JobMaker::Samplers sizes;
  const LoadedTrace trace;
};

// Where rows are read from: the whole trace, or one drawn block after the other (moving-block
// bootstrap: Kunsch, Annals of Statistics 17(3), 1989). A block begins at any instant at which a
// whole one fits; the last is cut so that as much time is covered as the trace has.
class BlockWalk {
 public:
  BlockWalk(const LoadedTrace& trace, std::int64_t block, RandomStream random)
      : trace_(trace), block_(block), random_(random) {
    if (block_ >= trace.span) block_ = 0;
    Enter();
  }

  // The next row and its time since the start of the part, still on the trace's clock.
  const KeptRow* Next(std::int64_t& at) {
    for (;;) {
      if (row_ < trace_.rows.size() && trace_.rows[row_].at < stop_) {
        const KeptRow& row = trace_.rows[row_++];
        at = placed_ + (row.at - start_);
        return &row;
      }
      if (block_ == 0) return nullptr;
      placed_ += block_;
      if (placed_ >= trace_.span) {
        placed_ = trace_.span;
        return nullptr;
      }
      Enter();
    }
  }

 private:
  void Enter() {
    start_ = 0;
    stop_ = trace_.span;
    if (block_ > 0) {
      const auto room = static_cast<std::uint64_t>(trace_.span - block_);
      start_ = static_cast<std::int64_t>(DrawBelow(random_, room + 1));
      stop_ = start_ + std::min(block_, trace_.span - placed_);
    }
    const auto first =
        std::lower_bound(trace_.rows.begin(), trace_.rows.end(), start_,
                         [](const KeptRow& row, std::int64_t time) { return row.at < time; });
    row_ = static_cast<std::size_t>(first - trace_.rows.begin());
  }

  const LoadedTrace& trace_;
  std::int64_t block_;  // ns; 0: the whole trace, once
  RandomStream random_;
  std::int64_t start_ = 0, stop_ = 0, placed_ = 0;
  std::size_t row_ = 0;
};

class TraceStream final : public ArrivalStream {
 public:
  TraceStream(const TracePart& part, const StreamOptions& options)
      : part_(part),
        begin_(ToNanos(part.spec.after)),
        end_(PartEnd(part.spec)),
        walk_(part.trace, options.seed > 0 && part.source.block ? ToNanos(*part.source.block) : 0,
              PartRandom(part.spec, options, "blocks")),
        requests_(part.spec, options),
        jobs_(part.spec, part.sizes, options),
        kept_(PartRandom(part.spec, options, "share")),
        models_(PartRandom(part.spec, options, "models")),
        prompts_(PartRandom(part.spec, options, "prompts")),
        outputs_(PartRandom(part.spec, options, "outputs")) {
    if (!part.trace.blocks.empty()) replays_.resize(part.trace.rows.size());
  }

  bool Next(Arrival& out) override {
    std::int64_t own = 0;
    while (const KeptRow* row = walk_.Next(own)) {
      if (part_.source.share < 1 && DrawUniform(kept_) >= part_.source.share) continue;
      const std::int64_t at = begin_ + Scaled(own);
      if (at >= end_) continue;  // by rounding only: the trace was cut to length
      if (row->label == kJobLabel) {
        jobs_.Make(out, at, part_.trace.jobs[row->prompt]);
      } else {
        MakeRequest(*row, at, out);
      }
      return true;
    }
    return false;
  }

 private:
  std::int64_t Scaled(std::int64_t own) const {
    if (part_.source.rate == 1) return own;
    return units_internal::Round(static_cast<double>(own) / part_.source.rate);
  }

  void MakeRequest(const KeptRow& row, std::int64_t at, Arrival& out) {
    const auto& [model, tenant] = part_.trace.labels[row.label];
    const std::string_view chosen = requests_.Model(models_);
    const auto draws = part_.tokens.Draw(prompts_, outputs_);
    requests_.Begin(out, at, chosen.empty() ? model : chosen, tenant);
    std::optional<std::int64_t> most;
    if (row.max_tokens >= 0) most = row.max_tokens;
    requests_.Size(out, draws.prompt.value_or(row.prompt), draws.output.value_or(row.output),
                   part_.tokens.items ? draws.items : row.items, most);
    if (replays_.empty()) return requests_.ShareBlocks(out);
    // A row that is drawn again is somebody else's prompt: it does not find the first one's blocks.
    const LoadedTrace& trace = part_.trace;
    const auto place = static_cast<std::size_t>(&row - trace.rows.data());
    const std::size_t end =
        place + 1 < trace.rows.size() ? trace.rows[place + 1].first_block : trace.blocks.size();
    std::uint8_t& replay = replays_[place];
    for (std::size_t i = row.first_block; i < end; ++i) {
      const std::uint64_t id = trace.blocks[i];
      out.blocks.push_back(replay == 0 ? id : MixWords(id, replay));
    }
    out.block_tokens = kTraceBlockTokens;
    replay = static_cast<std::uint8_t>(std::min(replay + 1, 255));
  }

  const TracePart& part_;
  std::int64_t begin_, end_;
  BlockWalk walk_;
  RequestMaker requests_;
  JobMaker jobs_;
  RandomStream kept_, models_, prompts_, outputs_;
  std::vector<std::uint8_t> replays_;  // how often each row was given; only where blocks matter
};

std::unique_ptr<ArrivalStream> TracePart::Open(std::uint32_t number, absl::Time start,
                                               std::uint64_t seed) const {
  return std::make_unique<TraceStream>(*this, StreamOptions{number, start, seed});
}

}  // namespace

absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadTracePart(const PartSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(TokenSamplers tokens, TokenSamplers::Load(spec.request));
  SPILLWAY_ASSIGN_OR_RETURN(JobMaker::Samplers sizes, JobMaker::Samplers::Load(spec.job));
  SPILLWAY_ASSIGN_OR_RETURN(LoadedTrace trace, LoadTrace(spec, std::get<TraceSpec>(spec.arrivals)));
  return std::make_unique<const TracePart>(spec, std::move(tokens), std::move(sizes),
                                           std::move(trace));
}

}  // namespace spillway
