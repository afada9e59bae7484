#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/brain.h"

namespace spillway {

// Hosts a brain in virtual time: numbers its events, keeps of its records what a result needs, and
// hands on its commands. The brain is the live controller's own.
class VirtualHost {
 public:
  // Folds the event; commands are appended to `commands()`, jobs that changed to `jobs()`, what was
  // decided about them to `decisions()`.
  Reply Post(event::Body body, absl::Time now);
  Brain& brain() { return brain_; }
  const Brain& brain() const { return brain_; }
  std::uint64_t events() const { return number_; }

  // Since they were last cleared by whoever reads them.
  std::vector<Command>& commands() { return commands_; }
  std::vector<Job>& jobs() { return jobs_; }
  std::vector<std::shared_ptr<const Decision>>& decisions() { return decisions_; }

  // All rows so far, those of the open hour as they would be booked at `now`.
  std::vector<record::LedgerRow> Ledger(absl::Time now) const;

 private:
  Brain brain_;
  std::uint64_t number_ = 0;
  Effects effects_;
  std::vector<Command> commands_;
  std::vector<Job> jobs_;
  std::vector<std::shared_ptr<const Decision>> decisions_;
  std::map<record::LedgerKey, record::LedgerRow> ledger_;
};

}  // namespace spillway
