#pragma once

#include <memory>
#include <string>
#include <utility>

#include "controller/snapshot.h"
#include "formats/api_json.h"

// Values of the host as JSON, with names looked up in a snapshot.
namespace spillway {

// Keeps its snapshot alive; may be called as a PoolLookup.
class PoolNames {
 public:
  explicit PoolNames(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  const PoolSpec* operator()(PoolId id) const {
    const PoolStatus* pool = snapshot_->Find(id);
    return pool != nullptr ? pool->spec.get() : nullptr;
  }
  const Snapshot& snapshot() const { return *snapshot_; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
};

inline std::string JobBody(const Job& job, const PoolNames& names) {
  std::string body;
  body.reserve(2048);
  JsonWriter w(body);
  WriteJob(w, job, names);
  return body;
}

inline std::string DecisionBody(const Decision& decision, const Work& work,
                                const PoolNames& names) {
  std::string body;
  body.reserve(512 + 512 * decision.candidates.size());
  JsonWriter w(body);
  WriteDecision(w, decision, work, names);
  return body;
}

inline std::string CandidatesBody(const Decision& decision, const Work& work,
                                  const PoolNames& names) {
  std::string body;
  JsonWriter w(body);
  WriteCandidates(w, decision, work, names);
  return body;
}

inline PoolFacts FactsOf(const PoolStatus& pool) {
  return {.spec = *pool.spec,
          .price = pool.price,
          .state = pool.state,
          .removed = pool.removed,
          .nodes_up = pool.nodes_up,
          .cpus_total = pool.cpus_total,
          .cpus_free = pool.cpus_free,
          .memory_total = pool.memory_total,
          .memory_free = pool.memory_free,
          .devices_total = pool.devices_total,
          .devices_free = pool.devices_free,
          .running = pool.running,
          .awaited_by = pool.awaited_by};
}

}  // namespace spillway
