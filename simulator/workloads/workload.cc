#include "simulator/workloads/workload.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/status.h"
#include "simulator/workloads/parts.h"

namespace spillway {
namespace {

// Parts together: by time, and at the same time in the order of the scenario.
class MergedStream final : public ArrivalStream {
 public:
  explicit MergedStream(std::vector<std::unique_ptr<ArrivalStream>> parts)
      : parts_(std::move(parts)), heads_(parts_.size()) {
    for (std::size_t i = 0; i < parts_.size(); ++i) Pull(i);
  }

  bool Next(Arrival& out) override {
    if (next_.empty()) return false;
    const std::size_t i = next_.top().second;
    next_.pop();
    std::swap(out, heads_[i]);  // its memory is used again
    Pull(i);
    return true;
  }
  bool Ended(const TurnEnd& end, Arrival& out) override {
    SPILLWAY_CHECK(end.part < parts_.size());
    return parts_[end.part]->Ended(end, out);
  }

 private:
  void Pull(std::size_t i) {
    if (parts_[i]->Next(heads_[i])) next_.emplace(heads_[i].at, i);
  }

  using Turn = std::pair<std::int64_t, std::size_t>;
  std::vector<std::unique_ptr<ArrivalStream>> parts_;
  std::vector<Arrival> heads_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> next_;
};

absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadPart(const PartSpec& spec) {
  if (const auto* trace = std::get_if<TraceSpec>(&spec.arrivals)) {
    return trace->format == TraceFormat::kServeGen ? LoadServeGenPart(spec) : LoadTracePart(spec);
  }
  if (std::holds_alternative<SessionsSpec>(spec.arrivals)) return LoadSessions(spec);
  return LoadGenerated(spec);
}

}  // namespace

absl::StatusOr<Workload> Workload::Load(const WorkloadSpec& spec) {
  Workload workload;
  workload.name_ = spec.name;
  for (const PartSpec& part : spec.parts) {
    SPILLWAY_ASSIGN_OR_RETURN(auto loaded, LoadPart(part));
    workload.parts_.push_back(std::move(loaded));
  }
  return workload;
}

std::unique_ptr<ArrivalStream> Workload::Open(absl::Time start, std::uint64_t seed) const {
  std::vector<std::unique_ptr<ArrivalStream>> streams;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    streams.push_back(parts_[i]->Open(static_cast<std::uint32_t>(i), start, seed));
  }
  if (streams.size() == 1) return std::move(streams.front());
  return std::make_unique<MergedStream>(std::move(streams));
}

std::vector<PartReport> Workload::reports() const {
  std::vector<PartReport> reports;
  for (const auto& part : parts_) reports.push_back(part->report());
  return reports;
}

}  // namespace spillway
