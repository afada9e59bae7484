#include "simulator/workloads/making.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "simulator/workloads/arrival_times.h"
#include "simulator/workloads/draw.h"

namespace spillway {
namespace {

// What an alternative asks for when the part's document is drawn or read anew: what it took over
// from the document follows it, and lengths of its own grow as the document's do.
Demand Following(const Demand& own, const Demand& written, const Demand& drawn) {
  if (own == written) return drawn;
  Demand out = own;
  if (auto* units = std::get_if<ClassUnits>(&out)) {
    const auto* from = std::get_if<ClassUnits>(&written);
    const auto* to = std::get_if<ClassUnits>(&drawn);
    if (from && to && from->units > 0) units->units *= to->units / from->units;
  } else if (auto* seconds = std::get_if<DeclaredSeconds>(&out)) {
    const auto* from = std::get_if<DeclaredSeconds>(&written);
    const auto* to = std::get_if<DeclaredSeconds>(&drawn);
    if (from && to && from->seconds > absl::ZeroDuration())
      seconds->seconds *= absl::FDivDuration(to->seconds, from->seconds);
  }
  return out;
}

void Follow(Needs& own, const Needs& written, const Needs& now) {
  const auto follow = [](auto& value, const auto& from, const auto& to) {
    if (value == from) value = to;
  };
  follow(own.cpus, written.cpus, now.cpus);
  follow(own.memory, written.memory, now.memory);
  follow(own.nodes, written.nodes, now.nodes);
  follow(own.devices.count, written.devices.count, now.devices.count);
  follow(own.devices.fraction, written.devices.fraction, now.devices.fraction);
}

}  // namespace

RandomStream PartRandom(const PartSpec& part, const StreamOptions& options, std::string_view what) {
  return MakeRandomStream(options.seed, absl::StrCat(part.name, "/", ToAbsl(what)));
}

std::int64_t PartEnd(const PartSpec& part) {
  if (!part.lasts) return ArrivalTimes::kNever;
  return ToNanos(part.after) + ToNanos(*part.lasts);
}

void ClearArrival(Arrival& out, std::int64_t at, std::uint32_t part) {
  std::vector<std::uint64_t> blocks = std::move(out.blocks);
  blocks.clear();
  out = Arrival();
  out.blocks = std::move(blocks);
  out.at = at;
  out.part = part;
}

RequestMaker::RequestMaker(const PartSpec& part, const StreamOptions& options)
    : part_(part), number_(options.part), salt_(MakeRandomStream(0, part.name)()) {}

std::string_view RequestMaker::Model(RandomStream& random) const {
  const auto& models = part_.request.models;
  if (models.empty()) return "";
  double left = models.size() > 1 ? DrawUniform(random) : 0;
  std::size_t chosen = 0;
  while (chosen + 1 < models.size() && left >= models[chosen].second) {
    left -= models[chosen++].second;
  }
  return models[chosen].first;
}

void RequestMaker::Begin(Arrival& out, std::int64_t at, std::string_view model,
                         std::string_view tenant) const {
  ClearArrival(out, at, number_);
  out.kind = WorkKind::kRequest;
  out.model = model;
  out.tenant =
      part_.tenant.empty() ? (tenant.empty() ? "default" : tenant) : std::string_view(part_.tenant);
  out.ttft = part_.request.ttft;
  out.tpot = part_.request.tpot;
  out.block_tokens = kBlockTokens;
}

void RequestMaker::Size(Arrival& out, std::int64_t prompt, std::int64_t output, std::int64_t items,
                        std::optional<std::int64_t> max_tokens) const {
  out.prompt_tokens = prompt;
  out.items = items;
  out.max_tokens = part_.request.max_tokens ? part_.request.max_tokens : max_tokens;
  out.truth.output_tokens = out.max_tokens ? std::min(output, *out.max_tokens) : output;
}

void RequestMaker::ShareBlocks(Arrival& out) const {
  const std::int64_t shared = std::min(part_.request.shared_prefix, out.prompt_tokens);
  for (std::int64_t i = 0; i < shared / kBlockTokens; ++i) {
    out.blocks.push_back(MixWords(salt_, static_cast<std::uint64_t>(i)));
  }
}

absl::StatusOr<JobMaker::Samplers> JobMaker::Samplers::Load(const JobSpec& spec) {
  Samplers samplers;
  for (const auto& [from, to] :
       {std::pair(&spec.units, &samplers.units), std::pair(&spec.duration, &samplers.duration)}) {
    if (!*from) continue;
    SPILLWAY_ASSIGN_OR_RETURN(LengthSampler sampler, LengthSampler::Load(**from));
    *to = std::move(sampler);
  }
  return samplers;
}

JobMaker::JobMaker(const PartSpec& part, const Samplers& samplers, const StreamOptions& options)
    : part_(part),
      samplers_(samplers),
      options_(options),
      sizes_(PartRandom(part, options, "sizes")) {}

void JobMaker::Make(Arrival& out, std::int64_t at) {
  Demand demand = part_.job.work.demand;
  if (samplers_.units) {
    if (auto* units = std::get_if<ClassUnits>(&demand)) {
      units->units = std::max(samplers_.units->Draw(sizes_), 1e-9);
    }
  }
  if (samplers_.duration) {
    DeclaredSeconds seconds;
    if (const auto* declared = std::get_if<DeclaredSeconds>(&demand)) seconds = *declared;
    const double drawn = std::max(samplers_.duration->Draw(sizes_), 1e-9);
    seconds.seconds = RoundToNanos(absl::Seconds(drawn));
    demand = seconds;
  }
  const bool differ = samplers_.units || samplers_.duration || part_.job.deadline;
  if (same_ && !differ) {
    ClearArrival(out, at, options_.part);
    out.kind = WorkKind::kJob;
    out.job = same_;
    out.tenant = same_->tenant;
    out.truth.run = std::move(demand);
    return;
  }
  Finish(out, at, part_.job.work, std::move(demand));
  if (!differ) same_ = out.job;
}

void JobMaker::Make(Arrival& out, std::int64_t at, const TraceRow& row) {
  Work work = part_.job.work;
  if (work.name.empty()) work.name = row.name;
  if (!row.tenant.empty()) work.tenant = row.tenant;
  if (row.cpus) work.needs.cpus = *row.cpus;
  if (row.memory) work.needs.memory = *row.memory;
  work.needs.nodes = std::max(work.needs.nodes, row.nodes);
  if (row.devices) {
    // As many nodes as it takes, if the document says how many devices one of them gives.
    const int of_node = work.needs.devices.count;
    const bool split = of_node > 0 && *row.devices > of_node;
    if (split) work.needs.nodes = (*row.devices + of_node - 1) / of_node;
    work.needs.devices.count = split ? of_node : *row.devices;
    work.needs.devices.fraction = *row.devices == 1 ? row.fraction : 1;
  }
  Demand demand = ClassUnits{row.work_class, row.units};
  if (row.duration) {
    DeclaredSeconds seconds;
    if (const auto* declared = std::get_if<DeclaredSeconds>(&work.demand)) seconds = *declared;
    seconds.seconds = std::max(*row.duration, absl::Nanoseconds(1));
    demand = seconds;
  }
  Finish(out, at, std::move(work), std::move(demand));
}

void JobMaker::Finish(Arrival& out, std::int64_t at, Work work, Demand demand) {
  const auto* trace = std::get_if<TraceSpec>(&part_.arrivals);
  const bool is_known = !trace || trace->format != TraceFormat::kOpenB;
  work.kind = WorkKind::kJob;
  if (!part_.tenant.empty()) work.tenant = part_.tenant;
  const Work& written = part_.job.work;
  const bool declared = part_.job.declared.value_or(is_known);
  work.demand = declared ? demand : Demand();
  if (part_.job.deadline) {
    work.objective.deadline = options_.start + absl::Nanoseconds(at) + *part_.job.deadline;
  }
  for (Alternative& other : work.alternatives) {
    other.demand = declared ? Following(other.demand, written.demand, demand) : Demand();
    Follow(other.needs, written.needs, work.needs);
    if (part_.job.deadline) other.objective.deadline = work.objective.deadline;
  }
  ClearArrival(out, at, options_.part);
  out.kind = WorkKind::kJob;
  out.job = std::make_shared<const Work>(std::move(work));
  out.tenant = out.job->tenant;
  out.truth.run = std::move(demand);
}

}  // namespace spillway
