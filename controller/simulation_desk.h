#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "controller/simulations.h"
#include "core/clock.h"

namespace spillway {

// Keeps simulations in a folder, one folder each: order.json as it was asked for, simulation.json
// as it stands, out/ with the results. One runs at a time, in the order in which they came; a
// bounded number waits, and of those that are over the newest are kept.
//
// Over a restart: those that waited still wait, the one that ran has failed, results stay. Numbers
// are counted on from the highest folder, which is never swept.
class SimulationDesk final : public Simulations {
 public:
  struct Options {
    std::string folder;  // made if it is missing; what else lies in it is left alone
    std::size_t waiting = 8, kept = 20;
    std::size_t result_bytes = std::size_t{32} << 20;  // of one file that is handed out
  };
  // `runner` and `clock` outlive it. kUnavailable: the folder cannot be made or read.
  static absl::StatusOr<std::unique_ptr<SimulationDesk>> Open(Options options,
                                                              SimulationRunner& runner,
                                                              const Clock& clock);
  // Ends what runs: it will have failed at the next start, since its results are not whole.
  ~SimulationDesk() override;

  absl::StatusOr<Simulation> Start(const SimulationOrder& order, const std::string& body) override;
  std::vector<Simulation> List() override;
  std::optional<Simulation> Find(std::uint64_t number) override;
  absl::StatusOr<Simulation> Cancel(std::uint64_t number) override;
  absl::StatusOr<std::string> Results(std::uint64_t number) override;
  absl::StatusOr<std::string> Report(std::uint64_t number) override;
  const std::vector<ShippedScenario>& Scenarios() override { return scenarios_; }
  Counts counts() override;

 private:
  SimulationDesk(Options options, SimulationRunner& runner, const Clock& clock);
  absl::Status Load();
  void LoadOne(std::uint64_t number);
  std::string FolderOf(std::uint64_t number) const;
  absl::Status Keep(const Simulation& simulation) const;
  void Work();
  // With the lock held.
  Simulation* NextWaiting();
  std::size_t Waiting() const;
  void Sweep();
  // Without.
  void RunOne(Simulation simulation);
  void Conclude(std::uint64_t number, const absl::StatusOr<std::string>& ended);
  absl::StatusOr<Simulation> Succeeded(std::uint64_t number);
  absl::StatusOr<std::string> ReadResult(std::uint64_t number, const char* file) const;

  const Options options_;
  SimulationRunner& runner_;
  const Clock& clock_;
  const std::vector<ShippedScenario> scenarios_;
  std::mutex mutex_;
  std::condition_variable come_;
  std::map<std::uint64_t, Simulation> all_;
  std::uint64_t last_ = 0;
  std::atomic<std::uint64_t> cancel_{0};  // the one that runs, if it shall end
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace spillway
