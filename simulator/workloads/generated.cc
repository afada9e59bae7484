#include <utility>

#include "core/status.h"
#include "simulator/workloads/arrival_times.h"
#include "simulator/workloads/lengths.h"
#include "simulator/workloads/making.h"
#include "simulator/workloads/parts.h"

namespace spillway {
namespace {

class GeneratedPart final : public WorkloadPart {
 public:
  GeneratedPart(PartSpec part, TokenSamplers tokens, JobMaker::Samplers sizes)
      : spec(std::move(part)), tokens(std::move(tokens)), sizes(std::move(sizes)) {}
  std::unique_ptr<ArrivalStream> Open(std::uint32_t number, absl::Time start,
                                      std::uint64_t seed) const override;
  PartReport report() const override {
    return {.name = spec.name, .span = spec.lasts.value_or(absl::ZeroDuration())};
  }

  const PartSpec spec;
  const TokenSamplers tokens;
  const JobMaker::Samplers sizes;
};

class GeneratedStream final : public ArrivalStream {
 public:
  GeneratedStream(const GeneratedPart& part, const StreamOptions& options)
      : part_(part),
        begin_(ToNanos(part.spec.after)),
        end_(PartEnd(part.spec)),
        times_(MakeArrivalTimes(part.spec.arrivals, PartRandom(part.spec, options, "arrivals"))),
        requests_(part.spec, options),
        jobs_(part.spec, part.sizes, options),
        models_(PartRandom(part.spec, options, "models")),
        prompts_(PartRandom(part.spec, options, "prompts")),
        outputs_(PartRandom(part.spec, options, "outputs")) {}

  bool Next(Arrival& out) override {
    if (is_over_) return false;
    const std::int64_t at = begin_ + times_->Next();
    if (at >= end_) {
      is_over_ = true;
      return false;
    }
    if (part_.spec.makes_jobs) {
      jobs_.Make(out, at);
      return true;
    }
    const auto draws = part_.tokens.Draw(prompts_, outputs_);
    requests_.Begin(out, at, requests_.Model(models_));
    requests_.Size(out, draws.prompt.value_or(0), draws.output.value_or(0), draws.items);
    requests_.ShareBlocks(out);
    return true;
  }

 private:
  const GeneratedPart& part_;
  std::int64_t begin_, end_;
  bool is_over_ = false;
  std::unique_ptr<ArrivalTimes> times_;
  RequestMaker requests_;
  JobMaker jobs_;
  RandomStream models_, prompts_, outputs_;
};

std::unique_ptr<ArrivalStream> GeneratedPart::Open(std::uint32_t number, absl::Time start,
                                                   std::uint64_t seed) const {
  return std::make_unique<GeneratedStream>(*this, StreamOptions{number, start, seed});
}

}  // namespace

absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadGenerated(const PartSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(TokenSamplers tokens, TokenSamplers::Load(spec.request));
  SPILLWAY_ASSIGN_OR_RETURN(JobMaker::Samplers sizes, JobMaker::Samplers::Load(spec.job));
  return std::make_unique<const GeneratedPart>(spec, std::move(tokens), std::move(sizes));
}

}  // namespace spillway
