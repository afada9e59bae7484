#pragma once

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/simulations.h"

namespace spillway::testing_support {

// Runs nothing: each run waits until the test says how it ends.
class FakeSimulationRunner final : public SimulationRunner {
 public:
  std::vector<ShippedScenario> Scenarios() override {
    return {{"backstop", "What spills over."}, {"spot", "What is taken back."}};
  }
  std::string CommandFor(const SimulationOrder&) override { return "spillway simulate s.yaml"; }

  absl::StatusOr<std::string> Execute(const Run& run) override {
    std::unique_lock lock(mutex_);
    folders_.push_back(run.folder);
    come_.notify_all();
    while (true) {
      if (progress_) run.on_progress(*std::exchange(progress_, std::nullopt));
      if (end_) break;
      if (run.cancelled()) return absl::CancelledError("it was cancelled");
      come_.wait_for(lock, std::chrono::milliseconds(2));
    }
    const absl::StatusOr<std::string> end = *std::exchange(end_, std::nullopt);
    if (!end.ok()) return end;
    std::filesystem::create_directories(run.folder + "/out");
    for (const auto& [name, text] : files_) std::ofstream(run.folder + "/out/" + name) << text;
    return end;
  }

  // The one that runs, or the next one, ends so.
  void End(absl::StatusOr<std::string> how) {
    const std::lock_guard lock(mutex_);
    end_ = std::move(how);
    come_.notify_all();
  }
  void Progress(SimulationProgress progress) {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
    come_.notify_all();
  }
  void Leaves(std::vector<std::pair<std::string, std::string>> files) {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
  }
  // Waits until so many were begun; gives their folders in order.
  std::vector<std::string> Begun(std::size_t count) {
    std::unique_lock lock(mutex_);
    come_.wait_for(lock, std::chrono::seconds(10), [&] { return folders_.size() >= count; });
    return folders_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::optional<absl::StatusOr<std::string>> end_;
  std::optional<SimulationProgress> progress_;
  std::vector<std::pair<std::string, std::string>> files_ = {{"results.json", "{\"cells\":[]}"},
                                                             {"report.html", "<p>report</p>"}};
  std::vector<std::string> folders_;
};

}  // namespace spillway::testing_support
