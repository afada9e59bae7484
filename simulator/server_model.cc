#include "simulator/server_model.h"

#include <algorithm>
#include <utility>

#include "performance/batch_server.h"

namespace spillway {
namespace {

class TokenServer final : public ServerModel {
 public:
  TokenServer(std::shared_ptr<const StepTimes> steps, EngineLimits limits)
      : steps_(std::move(steps)), limits_(limits), engine_(Fresh()) {}

  bool Add(const ServerTask& task, absl::Time now) override {
    return engine_.Add({.id = task.id,
                        .prompt_tokens = task.prompt_tokens,
                        .output_tokens = task.output_tokens,
                        .prefix = task.prefix},
                       now) == EngineAdmission::kAdmitted;
  }
  absl::Time NextEvent(absl::Time now) override { return engine_.NextStepEnd(now); }
  void Advance(absl::Time now, std::vector<StepOutput>& out) override { engine_.EndStep(now, out); }
  double Utilization(absl::Time now) override {
    engine_.CatchUp(now);
    const EngineGauges gauges = engine_.gauges();
    if (gauges.waiting > 0) return 1;
    const double batch = static_cast<double>(gauges.running) / std::max(limits_.max_sequences, 1);
    const double cache = gauges.kv_blocks_total == 0
                             ? 0
                             : static_cast<double>(gauges.kv_blocks_used) /
                                   static_cast<double>(gauges.kv_blocks_total);
    return std::min(std::max(batch, cache), 1.0);
  }
  std::unique_ptr<ServerModel> Clone() const override {
    return std::make_unique<TokenServer>(*this);
  }
  void Restart() override { engine_ = Fresh(); }
  std::int64_t RoomFor(std::int64_t prompt_tokens) const override {
    return limits_.LongestSequence() - prompt_tokens;
  }

 private:
  Engine Fresh() const { return {steps_, limits_, EnginePace::kRuns}; }

  std::shared_ptr<const StepTimes> steps_;
  EngineLimits limits_;
  Engine engine_;
};

class ItemServer final : public ServerModel {
 public:
  explicit ItemServer(std::shared_ptr<const BatchCapacity> capacity)
      : capacity_(std::move(capacity)), server_(Fresh()) {}

  bool Add(const ServerTask& task, absl::Time now) override {
    return server_.Add({.id = task.id, .items = task.items}, now) == BatchAdmission::kAdmitted;
  }
  absl::Time NextEvent(absl::Time now) override { return server_.NextEvent(now); }
  void Advance(absl::Time now, std::vector<StepOutput>& out) override {
    answers_.clear();
    server_.Advance(now, answers_);
    for (const BatchOutput& answer : answers_)
      out.push_back({.id = answer.id, .first = true, .last = true, .queued = answer.queued});
  }
  double Utilization(absl::Time) override { return server_.Utilization(); }
  std::unique_ptr<ServerModel> Clone() const override {
    return std::make_unique<ItemServer>(*this);
  }
  void Restart() override { server_ = Fresh(); }
  std::int64_t RoomFor(std::int64_t) const override { return 0; }

 private:
  BatchServer Fresh() const { return {capacity_->times, capacity_->limits}; }

  std::shared_ptr<const BatchCapacity> capacity_;
  BatchServer server_;
  std::vector<BatchOutput> answers_;
};

}  // namespace

std::unique_ptr<ServerModel> MakeServerModel(const Served& served) {
  if (served.batch) return std::make_unique<ItemServer>(served.batch);
  EngineLimits limits = served.limits;
  limits.prefix_tokens = kPrefixTokens;
  return std::make_unique<TokenServer>(served.steps, limits);
}

}  // namespace spillway
