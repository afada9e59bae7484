#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "simulator/replay/recorded_log.h"
#include "tests/support/world.h"

namespace spillway {

// A log in memory, as a world wrote it; tests change what stands in it.
class ListedLog final : public RecordedLog {
 public:
  explicit ListedLog(const fixtures::World& world) : events(world.log) {
    for (const auto& [id, decision] : world.decisions) decisions.push_back(decision);
    for (const auto& [id, job] : world.jobs) jobs.insert(id);
    routers = world.routers;
    extent_.pools = static_cast<std::int64_t>(world.pools.size());
    Measure();
  }
  // As retention would: events before `first` are gone.
  void Cut(EventNumber first) {
    std::erase_if(events, [&](const Event& event) { return event.number < first; });
    Measure();
  }

  const LogExtent& extent() const override { return extent_; }
  absl::StatusOr<std::vector<Event>> Events(EventNumber from) override {
    std::vector<Event> page;
    for (const Event& event : events) {
      if (event.number >= from && page.size() < kPage) page.push_back(event);
    }
    return page;
  }
  absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> Decisions(
      DecisionId after) override {
    std::vector<std::shared_ptr<const Decision>> page;
    for (const auto& decision : decisions) {
      if (decision->id > after && page.size() < kPage) page.push_back(decision);
    }
    return page;
  }
  absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) override {
    const auto found = routers.find(id);
    if (found == routers.end()) return absl::NotFoundError("not kept");
    return found->second;
  }
  absl::StatusOr<bool> Keeps(JobId job) override { return jobs.contains(job); }

  std::vector<Event> events;
  std::vector<std::shared_ptr<const Decision>> decisions;
  std::set<JobId> jobs;
  std::map<EventNumber, std::shared_ptr<const RouterInputs>> routers;

 private:
  static constexpr std::size_t kPage = 7;  // small, so that logs have many

  void Measure() {
    extent_.first = events.empty() ? EventNumber{} : events.front().number;
    extent_.last = events.empty() ? EventNumber{} : events.back().number;
    extent_.epochs.clear();
    for (const Event& event : events) {
      if (const auto* started = std::get_if<event::Started>(&event.body))
        extent_.epochs.push_back({started->epoch, event.number, event.at});
    }
  }
  LogExtent extent_;
};

}  // namespace spillway
