#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/command_host.h"

// A JobAdapter whose work is commands on this machine: all that process/ and modelled/ have in
// common. They differ in what a launch asks of the host (OrderFor).
namespace spillway {

class CommandAdapter : public JobAdapter {
 public:
  // `host` and `sink` outlive the adapter. `owner` names it to the host: one adapter, one name.
  CommandAdapter(std::string owner, CommandHost& host, AdapterSink& sink);

  // A pool that launches may name from now on. Called from the control thread, as the contract's
  // calls are.
  void AddPool(PoolId id, PoolSpec pool) { pools_.insert_or_assign(id, std::move(pool)); }

  absl::Status Start(std::uint64_t epoch, absl::Span<const AttemptKey> known) override;
  void Launch(const command::Launch& launch) override;
  void Cancel(const command::Cancel& cancel) override;
  void Logs(AttemptKey key, LogStream stream, std::uint64_t offset, std::size_t limit, bool follow,
            LogAnswer answer) override;
  void Stop() override;

 protected:
  // What `launch` means on `pool`. The key, epoch, owner and command are filled in already.
  virtual void Complete(LaunchOrder& order, const command::Launch& launch,
                        const PoolSpec& pool) const = 0;

 private:
  void OnReport(const RunReport& report);
  void OnLaunched(AttemptKey key, const absl::Status& status);
  void PostEnd(AttemptKey key, Fault fault, std::string message);

  const std::string owner_;
  CommandHost& host_;
  AdapterSink& sink_;
  std::map<PoolId, PoolSpec> pools_;
  std::mutex mutex_;
  std::map<AttemptKey, bool> live_;  // not over yet -> its start has been told. Guarded by mutex_
};

// How a run ended, in the contract's words. `report` is of an ended run.
event::AttemptEnded EndOf(const RunReport& report);

// "0,1" for devices of one node; "0:0,1;3:0" (node:devices) for several nodes.
std::string DevicesText(const std::vector<NodeShare>& nodes);

}  // namespace spillway
