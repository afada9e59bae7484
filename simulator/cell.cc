#include "simulator/cell.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/status.h"
#include "simulator/agenda.h"
#include "simulator/coverage.h"
#include "simulator/hindsight.h"
#include "simulator/job_flow.h"
#include "simulator/job_hindsight.h"
#include "simulator/littles_law.h"
#include "simulator/nodes_world.h"
#include "simulator/request_flow.h"
#include "simulator/start_up.h"
#include "simulator/tally.h"
#include "simulator/virtual_host.h"

namespace spillway {
namespace {

// At most so often do changed inputs reach the router, as in the live host.
constexpr absl::Duration kViewPeriod = absl::Milliseconds(20);
constexpr double kBusy = 0.9;  // utilization from which a cell is flagged
constexpr double kPilesUp = 0.05;

// Pools of last resort, and others.
bool HasBothKinds(const Config& config) {
  const auto is_last = [&](const PoolSpec& pool) { return IsLastResort(pool, config.policy); };
  const auto& pools = config.fleet.pools;
  return std::any_of(pools.begin(), pools.end(), is_last) &&
         !std::all_of(pools.begin(), pools.end(), is_last);
}

class Cell {
 public:
  explicit Cell(const CellInputs& inputs)
      : inputs_(inputs),
        scenario_(*inputs.scenario),
        agenda_(scenario_.start),
        catalog_(inputs.config, &inputs.config->catalog),
        tally_(scenario_.objective, inputs.config->policy.objectives,
               scenario_.start + scenario_.warm_up, inputs.config->fleet.pools.size()),
        bound_(*inputs.config),
        coverage_(*inputs.config, scenario_.objective),
        // A search for the size of a fleet asks only what was in time.
        regret_(inputs.most_missed || !HasBothKinds(*inputs.config)
                    ? std::nullopt
                    : std::make_optional<RegretTally>()),
        job_hindsight_(*inputs.config),
        requests_(catalog_, agenda_, tally_, bound_, coverage_, regret_ ? &*regret_ : nullptr),
        jobs_(inputs.config->fleet, inputs.config->catalog, scenario_.world, agenda_),
        start_up_(*inputs.config, scenario_.world),
        nodes_(inputs.config->fleet, scenario_.world, inputs.seed, agenda_) {}

  absl::StatusOr<CellOutcome> Run();

 private:
  absl::Status Begin();
  absl::Status Loop();
  bool NextArrival();
  absl::Status Take(const Arrival& arrival, absl::Time now);
  absl::Status Happen(const TimedEvent<Tick>& event, absl::Time now);
  void Post(event::Body body, absl::Time now);
  void Settle(absl::Time now);
  void Succeeded(const Job& job);
  absl::Status RefreshView(absl::Time now);
  void Flush(absl::Time now);
  void HearTurns();
  void ChangeNode(const Tick& tick, absl::Time now);
  static bool IsOn(const VirtualServer& server, const NodesWorld::Node& node);
  void BootNode(std::uint32_t id, absl::Time now);
  void SetEngine(std::uint32_t server, bool up, absl::Time now);
  void StartEngine(std::uint32_t server, absl::Time at);
  void TellCarbon(std::size_t step, absl::Time now);
  bool IsOver() const { return arrivals_over_ && in_system() == 0 && turns_.empty(); }
  std::int64_t in_system() const { return requests_.in_flight() + open_jobs_; }
  absl::StatusOr<CellOutcome> Conclude();
  void Label(CellOutcome& out) const;

  const CellInputs& inputs_;
  const ScenarioSpec& scenario_;
  Agenda agenda_;
  std::shared_ptr<const Catalog> catalog_;
  VirtualHost host_;
  Tally tally_;
  CellBound bound_;
  CoverageTally coverage_;
  std::optional<RegretTally> regret_;
  JobHindsight job_hindsight_;
  RequestFlow requests_;
  JobFlow jobs_;
  const StartUp start_up_;
  NodesWorld nodes_;

  Arrival next_;
  bool has_next_ = false, arrivals_over_ = false;
  std::vector<std::optional<Arrival>> turns_slots_;
  std::vector<std::uint32_t> turns_;  // slots in use
  std::shared_ptr<const RouterInputs> inputs_in_force_;
  absl::Time view_at_ = absl::InfinitePast();
  bool view_planned_ = false;
  absl::Time brain_due_ = absl::InfiniteFuture();
  std::map<std::uint32_t, absl::Time> boots_, loads_;  // nodes and servers that come up, and when
  std::int64_t open_jobs_ = 0;
  LittlesLaw job_law_;
  std::map<JobId, absl::Time> open_;  // and when they came
  absl::Time now_, last_arrival_, last_end_;
  std::int64_t arrivals_ = 0;
};

absl::Status Cell::Begin() {
  if (regret_) {
    jobs_.on_held = [this](PoolId pool, double part, absl::Time now) {
      job_hindsight_.Held(pool, part, now);
    };
  }
  now_ = last_arrival_ = last_end_ = scenario_.start;
  Post(event::Started{.epoch = 1, .config = inputs_.config}, now_);
  const auto& pools = inputs_.config->fleet.pools;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    const PoolId id{static_cast<std::uint32_t>(p)};
    for (int i = 0; i < EndpointsOf(pools[p]); ++i)
      Post(event::EndpointSeen{.endpoint = {id, i}, .up = true}, now_);
  }
  if (const auto& carbon = scenario_.world.carbon; carbon && !carbon->series.empty()) {
    const auto& series = carbon->series;
    std::size_t step = 0;
    while (step + 1 < series.size() && series[step + 1].first <= now_) ++step;
    TellCarbon(step, now_);
  }
  SPILLWAY_RETURN_IF_ERROR(RefreshView(now_));
  if (start_up_.cold()) {
    for (std::uint32_t i = 0; i < requests_.servers().size(); ++i) {
      SetEngine(i, false, now_);
      StartEngine(i, now_ + start_up_.boot());
    }
  }
  has_next_ = inputs_.arrivals->Next(next_);
  arrivals_over_ = !has_next_;
  return absl::OkStatus();
}

// --- The loop ------------------------------------------------------------------------------------

absl::Status Cell::Loop() {
  std::uint64_t turns = 0;
  while (!IsOver()) {
    if (inputs_.cancelled && ++turns % 4096 == 0 && inputs_.cancelled())
      return absl::CancelledError("the run was cancelled");
    if (inputs_.most_missed && tally_.missed() > *inputs_.most_missed) break;
    const absl::Time arrives =
        has_next_ ? scenario_.start + absl::Nanoseconds(next_.at) : absl::InfiniteFuture();
    const absl::Time happens = agenda_.NextTime();
    if (arrivals_over_ && happens > last_arrival_ + scenario_.drain) break;
    // Faults and prices of the same instant come before arrivals, all else after.
    const bool arrival_first =
        arrives < happens || (arrives == happens && arrives != absl::InfiniteFuture());
    if (arrival_first) {
      now_ = arrives;
      SPILLWAY_RETURN_IF_ERROR(Take(next_, now_));
      last_arrival_ = now_;
      has_next_ = inputs_.arrivals->Next(next_);
      if (!has_next_) {
        arrivals_over_ = true;
        tally_.NothingMoreComes();
      }
    } else {
      if (happens == absl::InfiniteFuture()) break;
      now_ = happens;
      SPILLWAY_RETURN_IF_ERROR(Happen(agenda_.Pop(), now_));
    }
  }
  return absl::OkStatus();
}

absl::Status Cell::Take(const Arrival& arrival, absl::Time now) {
  ++arrivals_;
  if (absl::Nanoseconds(arrival.at) > kLongestRun)
    return absl::InvalidArgumentError("work comes more than ten years after the start");
  if (arrival.kind == WorkKind::kRequest) {
    SPILLWAY_RETURN_IF_ERROR(requests_.Arrive(arrival, now));
    HearTurns();
    return absl::OkStatus();
  }
  tally_.Submitted();
  const JobId id{host_.events() + 1};
  jobs_.Know(id, arrival.truth.run);
  coverage_.Asked(*arrival.job);
  ++open_jobs_;
  job_law_.Enter(now);
  open_.emplace(id, now);
  Post(event::Submitted{arrival.job}, now);
  return absl::OkStatus();
}

absl::Status Cell::Happen(const TimedEvent<Tick>& event, absl::Time now) {
  switch (event.payload.kind) {
    case TickKind::kStep:
      requests_.Step(event.payload.id, now);
      HearTurns();
      break;
    case TickKind::kJobEnd: {
      std::vector<event::Body> events;
      jobs_.End(event.payload.id, now, events);
      for (event::Body& body : events) Post(std::move(body), now);
      break;
    }
    case TickKind::kJobStart: {
      std::vector<event::Body> events;
      jobs_.Start(event.payload.id, now, events);
      for (event::Body& body : events) Post(std::move(body), now);
      break;
    }
    case TickKind::kBrain:
      if (now != brain_due_) break;
      brain_due_ = absl::InfiniteFuture();
      Post(event::TimerFired{}, now);
      break;
    case TickKind::kFlush:
      Flush(now);
      break;
    case TickKind::kView:
      view_planned_ = false;
      return RefreshView(now);
    case TickKind::kRoom:
      requests_.GiveUpWaiting(now);
      HearTurns();
      break;
    case TickKind::kTurn: {
      const Arrival arrival = *std::exchange(turns_slots_[event.payload.id], std::nullopt);
      std::erase(turns_, event.payload.id);
      SPILLWAY_RETURN_IF_ERROR(Take(arrival, now));
      last_arrival_ = std::max(last_arrival_, now);
      break;
    }
    case TickKind::kNodeNotice:
    case TickKind::kNodeDown:
    case TickKind::kNodeUp:
      ChangeNode(event.payload, now);
      break;
    case TickKind::kNodeBooted:
      BootNode(event.payload.id, now);
      break;
    case TickKind::kEngineUp:
      if (const auto due = loads_.find(event.payload.id); due != loads_.end() && due->second == now)
        SetEngine(event.payload.id, true, now);
      HearTurns();
      break;
    case TickKind::kCarbon:
      TellCarbon(event.payload.id, now);
      break;
  }
  return absl::OkStatus();
}

// --- The brain -----------------------------------------------------------------------------------

void Cell::Post(event::Body body, absl::Time now) {
  std::vector<event::Body> next{std::move(body)};
  for (std::size_t i = 0; i < next.size(); ++i) {
    const bool submits = std::holds_alternative<event::Submitted>(next[i]);
    const Reply reply = host_.Post(std::move(next[i]), now);
    if (submits && !reply.status.ok()) {  // no pool could ever do it
      const JobId id{host_.events()};
      Job job;
      job.work = std::make_shared<const Work>();
      job.created_at = now;
      job.state = JobState::kFailed;
      tally_.Ended(job);
      open_.erase(id);
      jobs_.Forget(id);
      --open_jobs_;
      job_law_.Leave(now);
    }
    for (Command& command : std::exchange(host_.commands(), {})) {
      std::visit([&](const auto& c) { jobs_.Run(c, now, next); }, command);
    }
  }
  Settle(now);
}

void Cell::Succeeded(const Job& job) {
  bound_.Add(job);
  coverage_.Done(job);
  if (!regret_) return;
  const auto ran = [&] {
    const bool known = job.started_at && job.finished_at;
    return known ? *job.finished_at - *job.started_at : absl::ZeroDuration();
  };
  job_hindsight_.Done(
      job,
      [&](PoolId pool, const WorkFace& face) {
        return jobs_.DurationOn(pool, face, job.id, ran());
      },
      *regret_);
}

void Cell::Settle(absl::Time now) {
  for (const auto& decision : std::exchange(host_.decisions(), {})) tally_.Decided(*decision);
  for (const Job& job : std::exchange(host_.jobs(), {})) {
    if (!IsTerminal(job.state) || open_.erase(job.id) == 0) continue;
    tally_.Ended(job);
    if (job.state == JobState::kSucceeded) Succeeded(job);
    jobs_.Forget(job.id);
    --open_jobs_;
    job_law_.Leave(now);
    job_law_.Stayed(job.finished_at.value_or(now) - job.created_at);
    last_end_ = now;
  }
  const absl::Time due = host_.brain().NextTimer();
  if (due != brain_due_ && due != absl::InfiniteFuture()) {
    brain_due_ = std::max(due, now);
    agenda_.At(brain_due_, EventClass::kPrice, {TickKind::kBrain, 0});
  }
  if (view_planned_ || host_.brain().router_inputs() == inputs_in_force_) return;
  view_planned_ = true;
  agenda_.At(std::max(now, view_at_ + kViewPeriod), EventClass::kAdmission, {TickKind::kView, 0});
}

absl::Status Cell::RefreshView(absl::Time now) {
  if (host_.brain().router_inputs() == inputs_in_force_) return absl::OkStatus();
  inputs_in_force_ = host_.brain().router_inputs();
  view_at_ = now;
  auto view = RouterView::Make(inputs_in_force_);
  if (!view.ok()) return view.status();
  return requests_.UseView(*std::move(view), now);
}

void Cell::Flush(absl::Time now) {
  auto ended = requests_.TakeEnded();
  if (ended.empty()) return;
  for (const auto& request : ended) {
    if (inputs_.on_request) inputs_.on_request(*request);
    last_end_ = std::max(last_end_, request->ended);
  }
  for (std::size_t at = 0; at < ended.size(); at += event::kMostRequests) {
    const std::size_t end = std::min(ended.size(), at + event::kMostRequests);
    Post(event::RequestsEnded{{ended.begin() + static_cast<std::ptrdiff_t>(at),
                               ended.begin() + static_cast<std::ptrdiff_t>(end)}},
         now);
  }
}

void Cell::HearTurns() {
  for (const TurnEnd& end : requests_.TakeTurns()) {
    Arrival next;
    if (!inputs_.arrivals->Ended(end, next)) continue;
    const auto free = std::find(turns_slots_.begin(), turns_slots_.end(), std::nullopt);
    const auto slot = static_cast<std::uint32_t>(free - turns_slots_.begin());
    if (free == turns_slots_.end()) turns_slots_.emplace_back();
    agenda_.At(scenario_.start + absl::Nanoseconds(next.at), EventClass::kArrival,
               {TickKind::kTurn, slot});
    turns_slots_[slot] = std::move(next);
    turns_.push_back(slot);
  }
}

void Cell::ChangeNode(const Tick& tick, absl::Time now) {
  const NodesWorld::Node& node = nodes_.Change(tick, now);
  const bool leaves = tick.kind == TickKind::kNodeNotice;
  const bool comes = node.up && !leaves;
  boots_.erase(tick.id);
  if (comes && start_up_.takes_time()) {
    // It is there and paid for, and of no use yet.
    Post(event::NodeSeen{.pool = node.pool, .node = node.node, .up = true, .taken_back = true},
         now);
    boots_[tick.id] = now + start_up_.boot();
    agenda_.At(boots_[tick.id], EventClass::kFault, {TickKind::kNodeBooted, tick.id});
    return;
  }
  // Told that it goes, an engine takes nothing new; what it has it may still finish.
  const auto& servers = requests_.servers();
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    if (!IsOn(servers[i], node)) continue;
    if (leaves) {
      loads_.erase(i);
      Post(event::EndpointSeen{.endpoint = servers[i].key, .up = false}, now);
    } else {
      SetEngine(i, comes, now);
    }
  }
  if (leaves) jobs_.Notice(node.pool, node.node, now);
  if (regret_ && !leaves) job_hindsight_.NodeChanged(node.pool, comes, now);
  Post(
      event::NodeSeen{
          .pool = node.pool, .node = node.node, .up = node.up, .taken_back = node.spot && !comes},
      now);
  HearTurns();
}

bool Cell::IsOn(const VirtualServer& server, const NodesWorld::Node& node) {
  return server.key.pool == node.pool &&
         std::find(server.nodes.begin(), server.nodes.end(), node.node) != server.nodes.end();
}

void Cell::BootNode(std::uint32_t id, absl::Time now) {
  const auto due = boots_.find(id);
  if (due == boots_.end() || due->second != now) return;  // it is gone again
  boots_.erase(due);
  const NodesWorld::Node& node = nodes_.node(id);
  if (regret_) job_hindsight_.NodeChanged(node.pool, true, now);
  Post(event::NodeSeen{.pool = node.pool, .node = node.node, .up = true}, now);
  const auto& servers = requests_.servers();
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    if (IsOn(servers[i], node)) StartEngine(i, now);
  }
}

void Cell::StartEngine(std::uint32_t server, absl::Time at) {
  loads_[server] = at + start_up_.LoadOf(requests_.servers()[server].key);
  agenda_.At(loads_[server], EventClass::kFault, {TickKind::kEngineUp, server});
}

void Cell::SetEngine(std::uint32_t server, bool up, absl::Time now) {
  loads_.erase(server);
  Post(event::EndpointSeen{.endpoint = requests_.servers()[server].key, .up = up}, now);
  requests_.SetUp(server, up, now);
}

// The grid's series reaches the brain as a live controller's does: policies decide by it, and the
// ledger counts by it.
void Cell::TellCarbon(std::size_t step, absl::Time now) {
  const CarbonSpec& carbon = *scenario_.world.carbon;
  const auto& [since, intensity] = carbon.series[step];
  if (since > now) {
    agenda_.At(since, EventClass::kPrice, {TickKind::kCarbon, static_cast<std::uint32_t>(step)});
    return;
  }
  std::set<std::string> sites(carbon.sites.begin(), carbon.sites.end());
  if (sites.empty()) {
    for (const PoolSpec& pool : inputs_.config->fleet.pools) sites.insert(pool.site.name);
  }
  for (const std::string& site : sites)
    Post(event::CarbonSeen{.site = site, .intensity = intensity, .as_of = since}, now);
  if (step + 1 < carbon.series.size()) {
    agenda_.At(carbon.series[step + 1].first, EventClass::kPrice,
               {TickKind::kCarbon, static_cast<std::uint32_t>(step + 1)});
  }
}

// --- The end -------------------------------------------------------------------------------------

void Cell::Label(CellOutcome& out) const {
  const auto part = [&](std::int64_t n) {
    return arrivals_ == 0 ? 0.0 : static_cast<double>(n) / static_cast<double>(arrivals_);
  };
  bool busy = false;
  for (const PoolOutcome& pool : out.pools) {
    if (pool.utilization <= kBusy) continue;
    busy = true;
    out.flags.push_back(absl::StrCat("pool ", pool.name, ": utilization ",
                                     absl::StrFormat("%.2f", pool.utilization)));
  }
  bool piles_up = false;
  const auto too_many = [&](std::int64_t n, std::string_view what) {
    if (part(n) <= kPilesUp) return;
    piles_up = true;
    out.flags.push_back(absl::StrFormat("%.1f %% of all work %s", 100 * part(n), ToAbsl(what)));
  };
  too_many(out.refused, "was refused");
  too_many(out.unfinished, "was unfinished at the end");
  // In a short run some of it always is; in one that keeps up it ends in time all the same.
  too_many(tally_.late_at_the_end(), "was under way when the last of it came, and late");
  out.label = piles_up ? LoadLabel::kOverloaded
              : busy   ? LoadLabel::kBacklogged
                       : LoadLabel::kStable;
}

absl::StatusOr<CellOutcome> Cell::Conclude() {
  const absl::Time end = IsOver() ? std::max(last_arrival_, last_end_) : now_;
  Flush(std::max(end, now_));
  requests_.Abandon();
  if (regret_) job_hindsight_.Finish(*regret_);
  for (const auto& [id, since] : open_) tally_.Unfinished(since);
  const absl::Time until = std::max(end, now_);
  requests_.CloseStrips(until);
  SPILLWAY_RETURN_IF_ERROR(requests_.CheckLittlesLaw(until));
  for (const auto& [id, since] : open_) job_law_.Stayed(until - since);
  if (!job_law_.HoldsAt(until)) {
    return absl::InternalError(
        "jobs in the system over time are not the sum of their stays (Little's law)");
  }
  jobs_.CloseStrips(until);

  CellOutcome out;
  const FleetSpec& fleet = inputs_.config->fleet;
  out.pools.resize(fleet.pools.size());
  out.span = until - scenario_.start;
  out.bin = TimeStrip::kFirstBin;
  while (out.span > out.bin * static_cast<int>(TimeStrip::kMostBins)) out.bin *= 2;
  tally_.Write(fleet, scenario_.start, host_.Ledger(until), out);
  for (std::size_t p = 0; p < fleet.pools.size(); ++p) {
    PoolOutcome& pool = out.pools[p];
    std::vector<const TimeStrip*> strips;
    for (const VirtualServer& server : requests_.servers()) {
      if (Index(server.key.pool) == p) strips.push_back(&server.strip);
    }
    pool.endpoints = static_cast<int>(strips.size());
    if (strips.empty()) strips.push_back(&jobs_.strip(PoolId{static_cast<std::uint32_t>(p)}));
    for (const TimeStrip* strip : strips) {
      pool.utilization += strip->Mean() / static_cast<double>(strips.size());
      const std::vector<double> bins = strip->Bins(out.bin);
      if (pool.strip.size() < bins.size()) pool.strip.resize(bins.size());
      for (std::size_t i = 0; i < bins.size(); ++i)
        pool.strip[i] += bins[i] / static_cast<double>(strips.size());
    }
  }
  coverage_.Write(out);
  if (regret_) out.regret = regret_->Outcome();
  Label(out);
  if (!inputs_.most_missed)
    SPILLWAY_RETURN_IF_ERROR(Annotate(bound_.Write(scenario_.objective, out), "lower bound"));
  out.events = host_.events();
  out.decisions = requests_.routed();
  return out;
}

absl::StatusOr<CellOutcome> Cell::Run() {
  SPILLWAY_RETURN_IF_ERROR(Begin());
  SPILLWAY_RETURN_IF_ERROR(Loop());
  return Conclude();
}

}  // namespace

namespace {

// Nodes that are bought while they are used boot as the world says: who decides knows it, too.
std::shared_ptr<const Config> WithBoots(std::shared_ptr<const Config> config,
                                        const WorldSpec& world) {
  if (!world.start_up) return config;
  auto with = std::make_shared<Config>(*config);
  for (PoolSpec& pool : with->fleet.pools) {
    if (pool.billing == Billing::kMetered && pool.serves.empty()) pool.boot = world.start_up->boot;
  }
  return with;
}

}  // namespace

absl::StatusOr<CellOutcome> RunCell(const CellInputs& inputs) {
  CellInputs own = inputs;
  own.config = WithBoots(inputs.config, inputs.scenario->world);
  return Cell(own).Run();
}

FleetSpec TakeAsModelled(FleetSpec fleet) {
  for (PoolSpec& pool : fleet.pools) {
    pool.modelled = true;
    if (pool.adapter.type != "modelled") pool.adapter = {.type = "modelled"};
  }
  return fleet;
}

}  // namespace spillway
