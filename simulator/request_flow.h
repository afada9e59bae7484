#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/catalog.h"
#include "scheduler/prefix_memory.h"
#include "scheduler/router.h"
#include "simulator/agenda.h"
#include "simulator/cell_bound.h"
#include "simulator/coverage.h"
#include "simulator/hindsight.h"
#include "simulator/littles_law.h"
#include "simulator/servers.h"
#include "simulator/tally.h"
#include "simulator/workloads/arrival.h"

namespace spillway {

// Requests in virtual time: routed by the live Router over views of the live Brain's inputs,
// answered by true engines. What the controller's dispatcher does with threads and sockets happens
// here with events; what decides is the same.
class RequestFlow {
 public:
  // All outlive it. Without `regret` no placement is looked at again.
  RequestFlow(std::shared_ptr<const Catalog> catalog, Agenda& agenda, Tally& tally,
              CellBound& bound, CoverageTally& coverage, RegretTally* regret);

  // The first call makes the engines. kFailedPrecondition as MakeServers; later ones cannot fail.
  absl::Status UseView(std::shared_ptr<const RouterView> view, absl::Time now);
  const std::vector<VirtualServer>& servers() const { return servers_; }

  // kNotFound: nobody serves what it asks for, with the nearest name.
  absl::Status Arrive(const Arrival& arrival, absl::Time now);
  // A tick of kind kStep, kRoom.
  void Step(std::uint32_t server, absl::Time now);
  void GiveUpWaiting(absl::Time now);
  // What runs there is lost; its requests go elsewhere where nothing had reached their clients.
  // Coming up it begins empty.
  void SetUp(std::uint32_t server, bool up, absl::Time now);

  // Ended since the last call: the brain learns from them.
  std::vector<std::shared_ptr<const Request>> TakeEnded();
  // Of sessions, ended since the last call.
  std::vector<TurnEnd> TakeTurns();
  std::int64_t in_flight() const { return in_flight_; }  // waiting ones included
  std::uint64_t routed() const { return draws_; }
  // Does L = lambda W hold for every pool? kInternal: a fault of the simulator. After Abandon().
  absl::Status CheckLittlesLaw(absl::Time end);
  // Counts what is in flight as unfinished; answers what hindsight still asks.
  void Abandon();
  void CloseStrips(absl::Time now);

 private:
  struct Flight {
    Request record;
    std::shared_ptr<const RouterView> view;
    std::shared_ptr<const RequestShape> shape;
    std::int64_t output_tokens = 0;  // truth: for engines only
    PrefixBlocks blocks;             // the same: of its prompt; null: none
    std::uint32_t part = 0, session = 0, turn = 0;
    std::size_t tried = 0;
    std::vector<int> tiers;  // beside record.order
    int server = -1;
    std::uint64_t mark = 0;
    std::int64_t prompt_tokens = 0;     // truth
    std::int64_t estimated_tokens = 0;  // of the prompt, by the router
    absl::Duration ttft_limit{};
    absl::Time first_at, taken_at;
    bool first_token = false;
    bool live = false;
    std::uint64_t ticket = 0;
  };

  std::uint32_t NewFlight();
  const std::vector<std::string>* Resolve(std::string_view model);
  void Features(const Arrival& arrival, absl::Time now, RequestFeatures& out);
  const std::shared_ptr<const RequestShape>& ShapeFor(const RequestFeatures& features);
  Routed Route(Flight& flight);
  // Routes and hands over; false: it waits for room.
  void Dispatch(std::uint32_t id, absl::Time now);
  bool Take(std::uint32_t id, absl::Time now);
  void LookAgain(const Flight& flight, const ServerTask& request, absl::Time now);
  void FirstToken(Flight& flight, absl::Time now);
  void Release(Flight& flight, absl::Time now);
  void Finish(std::uint32_t id, RequestEnd end, absl::Time now);
  void Schedule(std::uint32_t server, absl::Time now);
  void Mark(VirtualServer& server, absl::Time now);
  void WakeFor(std::uint32_t server, absl::Time now);

  std::shared_ptr<const Catalog> catalog_;
  Agenda& agenda_;
  Tally& tally_;
  CellBound& bound_;
  CoverageTally& coverage_;
  RegretTally* regret_;
  RequestHindsight hindsight_;
  std::shared_ptr<const RouterView> view_;
  std::vector<VirtualServer> servers_;
  std::vector<LittlesLaw> laws_;  // by pool of the view
  Router router_;
  PrefixMemory prefixes_;
  std::vector<std::shared_ptr<const RequestShape>> shapes_;
  std::vector<RequestFeatures> shape_keys_;
  std::map<std::string, std::vector<std::string>, std::less<>> resolved_;

  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_;
  std::map<std::uint64_t, std::uint32_t> waiting_;           // by ticket
  std::set<std::pair<absl::Time, std::uint64_t>> patience_;  // deadlines, tickets
  std::uint64_t last_ticket_ = 0, draws_ = 0, count_ = 0;
  std::int64_t in_flight_ = 0;
  std::vector<StepOutput> outputs_;
  std::vector<std::shared_ptr<const Request>> ended_;
  std::vector<TurnEnd> turns_;
};

}  // namespace spillway
