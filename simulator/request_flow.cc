#include "simulator/request_flow.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "performance/network.h"
#include "simulator/workloads/draw.h"

namespace spillway {
namespace {

constexpr std::size_t kShapesKept = 256;
constexpr std::uint64_t kEpoch = 1;
constexpr std::int64_t kMostItems = 1'000'000;

// A hash of all up to the end of each whole piece that engines keep.
PrefixBlocks ChainBlocks(const Arrival& arrival) {
  if (arrival.blocks.empty() || kPrefixTokens % arrival.block_tokens != 0) return nullptr;
  auto out = std::make_shared<std::vector<std::uint64_t>>();
  const auto step = static_cast<std::size_t>(kPrefixTokens / arrival.block_tokens);
  const auto whole = static_cast<std::size_t>(arrival.prompt_tokens / arrival.block_tokens);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < std::min(arrival.blocks.size(), whole); ++i) {
    hash = MixWords(hash, arrival.blocks[i]);
    if ((i + 1) % step == 0) out->push_back(hash);
  }
  return out;
}

}  // namespace

RequestFlow::RequestFlow(std::shared_ptr<const Catalog> catalog, Agenda& agenda, Tally& tally,
                         CellBound& bound, CoverageTally& coverage, RegretTally* regret)
    : catalog_(std::move(catalog)),
      agenda_(agenda),
      tally_(tally),
      bound_(bound),
      coverage_(coverage),
      regret_(regret) {}

absl::Status RequestFlow::UseView(std::shared_ptr<const RouterView> view, absl::Time now) {
  if (servers_.empty()) {
    auto servers = MakeServers(*view);
    if (!servers.ok()) return servers.status();
    servers_ = *std::move(servers);
    laws_.resize(view->pools().size());
  }
  SPILLWAY_CHECK(servers_.size() == view->endpoints().size());
  view_ = std::move(view);
  shapes_.clear();
  shape_keys_.clear();
  // Where nothing was able, something may be now.
  std::vector<std::uint32_t> ids;
  for (const auto& [ticket, id] : waiting_) ids.push_back(id);
  for (const std::uint32_t id : ids) {
    waiting_.erase(flights_[id].ticket);
    Dispatch(id, now);
  }
  return absl::OkStatus();
}

// --- Arrival -------------------------------------------------------------------------------------

std::uint32_t RequestFlow::NewFlight() {
  if (free_.empty()) {
    flights_.emplace_back();
    return static_cast<std::uint32_t>(flights_.size() - 1);
  }
  const std::uint32_t id = free_.back();
  free_.pop_back();
  flights_[id] = Flight();
  return id;
}

const std::vector<std::string>* RequestFlow::Resolve(std::string_view model) {
  const auto known = resolved_.find(model);
  if (known != resolved_.end()) return &known->second;
  auto names = view_->Resolve(model);
  if (names.empty()) return nullptr;
  return &resolved_.emplace(std::string(model), std::move(names)).first->second;
}

void RequestFlow::Features(const Arrival& arrival, absl::Time now, RequestFeatures& out) {
  out.arrived = now;
  out.tenant = std::string(arrival.tenant);
  out.model = std::string(arrival.model);
  double bytes_per_token = 4;
  if (const int place = view_->FindModel(out.models.front()); place >= 0)
    out.kind = view_->models()[static_cast<std::size_t>(place)].kind;
  if (const auto model = catalog_->models.find(out.models.front()); model != catalog_->models.end())
    bytes_per_token = model->second.bytes_per_token;
  out.items = static_cast<int>(std::clamp<std::int64_t>(arrival.items, 1, kMostItems));
  out.prompt_bytes =
      static_cast<std::int64_t>(static_cast<double>(arrival.prompt_tokens) * bytes_per_token);
  out.max_tokens = arrival.max_tokens;
  out.stream = true;
  out.ttft = arrival.ttft;
  out.tpot = arrival.tpot;
  const std::int64_t halves = std::max<std::int64_t>(
      static_cast<std::int64_t>(arrival.block_tokens * bytes_per_token) / kPrefixBlockBytes, 1);
  for (const std::uint64_t block : arrival.blocks) {
    for (std::int64_t i = 0; i < halves && out.prefix.size() < kMostPrefixBlocks; ++i) {
      out.prefix.push_back(MixWords(block, static_cast<std::uint64_t>(i)));
    }
  }
}

absl::Status RequestFlow::Arrive(const Arrival& arrival, absl::Time now) {
  const std::vector<std::string>* models = view_ ? Resolve(arrival.model) : nullptr;
  if (models == nullptr) {
    const std::string nearest =
        view_ ? NearestWord(std::string(arrival.model), view_->Names()) : std::string();
    return absl::NotFoundError(
        absl::StrCat("no pool of the fleet serves the model `", ToAbsl(arrival.model), "`",
                     nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
  }
  const std::uint32_t id = NewFlight();
  Flight& flight = flights_[id];
  flight.live = true;
  flight.part = arrival.part;
  flight.session = arrival.session;
  flight.turn = arrival.turn;
  flight.prompt_tokens = std::max<std::int64_t>(arrival.prompt_tokens, 1);
  flight.output_tokens = arrival.truth.output_tokens;
  flight.blocks = ChainBlocks(arrival);
  if (arrival.max_tokens)
    flight.output_tokens = std::min(flight.output_tokens, *arrival.max_tokens);
  flight.record.id = MakeRequestId(kEpoch, ++count_);
  flight.record.draw = count_;
  flight.record.features.models = *models;
  Features(arrival, now, flight.record.features);
  ++in_flight_;
  tally_.Submitted();
  coverage_.Asked(arrival.model, *models, flight.prompt_tokens);
  Dispatch(id, now);
  return absl::OkStatus();
}

// --- The way there -------------------------------------------------------------------------------

const std::shared_ptr<const RequestShape>& RequestFlow::ShapeFor(const RequestFeatures& features) {
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const RequestFeatures& key = shape_keys_[i];
    if (key.model == features.model && key.tenant == features.tenant) return shapes_[i];
  }
  if (shapes_.size() >= kShapesKept) {
    shapes_.clear();
    shape_keys_.clear();
  }
  RequestFeatures key;
  key.model = features.model;
  key.models = features.models;
  key.tenant = features.tenant;
  key.kind = features.kind;
  shapes_.push_back(std::make_shared<const RequestShape>(MakeRequestShape(*view_, key)));
  shape_keys_.push_back(std::move(key));
  return shapes_.back();
}

Routed RequestFlow::Route(Flight& flight) {
  Request& record = flight.record;
  flight.view = view_;
  flight.shape = ShapeFor(record.features);
  flight.tried = 0;
  record.view = view_->id();
  std::uint16_t serial = 0;
  const int cached = prefixes_.CachedBlocks(record.features.prefix, serial);
  record.readings.clear();
  record.readings.reserve(flight.shape->endpoints.size());
  for (const std::uint32_t place : flight.shape->endpoints) {
    const VirtualServer& server = servers_[place];
    EndpointLoad load{.running = server.running,
                      .waiting = server.waiting,
                      .waiting_tokens = server.waiting_tokens,
                      .context_tokens = server.context_tokens};
    if (place + 1 == serial) load.cached_blocks = cached;
    record.readings.push_back({place, load});
  }
  ++draws_;
  const RoutePlan& plan =
      router_.Choose(*view_, *flight.shape, record.features, record.readings, record.draw);
  record.order = plan.order;
  record.code = plan.code;
  flight.estimated_tokens = plan.prompt_tokens;
  flight.tiers = plan.tiers;
  flight.ttft_limit = plan.ttft_limit;
  record.spilled_from = plan.spilled_from;
  record.spilled_code = plan.spilled_code;
  return plan.outcome;
}

void RequestFlow::Dispatch(std::uint32_t id, absl::Time now) {
  Flight& flight = flights_[id];
  const Routed routed = Route(flight);
  if (routed == Routed::kRouted && Take(id, now)) return;
  if (routed != Routed::kFull) {
    return Finish(id, routed == Routed::kRefused ? RequestEnd::kRefused : RequestEnd::kFailed, now);
  }
  if (flight.ticket == 0) {
    flight.ticket = ++last_ticket_;
    const absl::Time until = now + RoomPatience(flight.ttft_limit);
    const bool next = patience_.empty() || until < patience_.begin()->first;
    patience_.emplace(until, flight.ticket);
    if (next) agenda_.At(until, EventClass::kAdmission, {TickKind::kRoom, 0});
  }
  waiting_.emplace(flight.ticket, id);
}

bool RequestFlow::Take(std::uint32_t id, absl::Time now) {
  Flight& flight = flights_[id];
  Request& record = flight.record;
  while (flight.tried < record.order.size()) {
    const std::uint32_t place = record.order[flight.tried++];
    VirtualServer& server = servers_[place];
    record.attempts.push_back({server.key, ForwardFault::kNone});
    if (!server.up) {
      record.attempts.back().fault = ForwardFault::kConnect;
      continue;
    }
    NoteFailover(*flight.view, flight.tiers, flight.tried - 1, record);
    // An engine ends an answer that reaches the end of its context.
    const std::int64_t room = server.model->RoomFor(flight.prompt_tokens);
    const bool embeds = flight.output_tokens == 0;
    const std::int64_t output =
        embeds ? 0 : std::max<std::int64_t>(std::min(flight.output_tokens, room), 1);
    ServerTask asked{.id = id,
                     .prompt_tokens = flight.prompt_tokens,
                     .output_tokens = output,
                     .items = record.features.items};
    if (flight.blocks) asked.prefix = *flight.blocks;
    if (!server.model->Add(asked, now)) {
      record.attempts.back().fault = ForwardFault::kOverloaded;
      continue;
    }
    flight.output_tokens = output;
    flight.server = static_cast<int>(place);
    flight.taken_at = now;
    laws_[server.pool].Enter(now);
    if (regret_ != nullptr) LookAgain(flight, asked, now);
    ++server.waiting;
    server.waiting_tokens += flight.estimated_tokens;
    flight.mark = server.share.Enter(now, record.features.shares());
    record.answered_by = server.name;
    Schedule(place, now);
    return true;
  }
  return false;
}

void RequestFlow::LookAgain(const Flight& flight, const ServerTask& request, absl::Time now) {
  const auto place = static_cast<std::uint32_t>(flight.server);
  hindsight_.Added(place, request, flight.blocks, *regret_, now);
  const RequestObjective wanted = tally_.WantedOf(flight.record.features, servers_[place].name);
  const auto kept_on = [this](std::uint32_t other) {
    std::vector<PrefixBlocks> kept;
    for (const Flight& f : flights_) {
      if (f.live && f.blocks && f.server == static_cast<int>(other)) kept.push_back(f.blocks);
    }
    return kept;
  };
  hindsight_.Placed({.view = *flight.view,
                     .shape = *flight.shape,
                     .features = flight.record.features,
                     .endpoint = place,
                     .prompt_tokens = request.prompt_tokens,
                     .output_tokens = request.output_tokens,
                     .items = request.items,
                     .blocks = flight.blocks,
                     .ttft = *wanted.ttft,
                     .tpot = *wanted.tpot},
                    servers_, kept_on, *regret_, now);
}

void RequestFlow::Mark(VirtualServer& server, absl::Time now) {
  const double busy = server.model->Utilization(now);
  server.strip.Set(now - agenda_.start(), server.up ? busy : 0);
}

void RequestFlow::Schedule(std::uint32_t place, absl::Time now) {
  VirtualServer& server = servers_[place];
  const absl::Time end = server.model->NextEvent(now);
  Mark(server, now);
  if (end == server.due || end == absl::InfiniteFuture()) return;
  server.due = end;
  agenda_.At(end, EventClass::kStep, {TickKind::kStep, place});
}

// --- The way back --------------------------------------------------------------------------------

void RequestFlow::FirstToken(Flight& flight, absl::Time now) {
  flight.first_token = true;
  flight.first_at = now;
  VirtualServer& server = servers_[static_cast<std::size_t>(flight.server)];
  --server.waiting;
  ++server.running;
  server.waiting_tokens -= flight.estimated_tokens;
  server.context_tokens += flight.estimated_tokens;
  if (!flight.record.features.prefix.empty())
    prefixes_.Remember(flight.record.features.prefix,
                       static_cast<std::uint16_t>(flight.server + 1));
}

void RequestFlow::Release(Flight& flight, absl::Time now) {
  if (flight.server < 0) return;
  VirtualServer& server = servers_[static_cast<std::size_t>(flight.server)];
  if (flight.first_token) {
    --server.running;
    server.context_tokens -= flight.estimated_tokens;
  } else {
    --server.waiting;
    server.waiting_tokens -= flight.estimated_tokens;
  }
  flight.record.held = server.share.Leave(now, flight.record.features.shares(), flight.mark);
  laws_[server.pool].Leave(now);
  laws_[server.pool].Stayed(now - flight.taken_at);
  flight.server = -1;
}

void RequestFlow::Step(std::uint32_t place, absl::Time now) {
  VirtualServer& server = servers_[place];
  if (!server.up || server.due != now) return;
  server.due = absl::InfiniteFuture();
  outputs_.clear();
  server.model->Advance(now, outputs_);
  bool freed = false;
  for (const StepOutput& output : outputs_) {
    const auto id = static_cast<std::uint32_t>(output.id);
    Flight& flight = flights_[id];
    if (output.first) FirstToken(flight, now);
    if (!output.last) continue;
    Request& record = flight.record;
    record.ttft =
        flight.first_at - record.features.arrived +
        WayTo(flight.view->pools()[server.pool].spec->site, Bytes(record.features.prompt_bytes));
    if (flight.output_tokens > 1 && record.features.kind != ModelKind::kBatch)
      record.tpot = absl::Nanoseconds(ToNanos(now - flight.first_at) / (flight.output_tokens - 1));
    if (record.features.kind != ModelKind::kBatch) {
      record.prompt_tokens = flight.prompt_tokens;
      record.output_tokens = flight.output_tokens;
    }
    Release(flight, now);
    SettleRequest(*flight.view, *flight.shape, record);
    Finish(id, RequestEnd::kAnswered, now);
    freed = true;
  }
  Schedule(place, now);
  if (freed) WakeFor(place, now);
}

void RequestFlow::Finish(std::uint32_t id, RequestEnd end, absl::Time now) {
  Flight& flight = flights_[id];
  Release(flight, now);
  Request& record = flight.record;
  record.end = end;
  record.status = end == RequestEnd::kAnswered ? 200 : 503;
  record.ended = now;
  if (end != RequestEnd::kAnswered && end != RequestEnd::kBrokenOff) record.answered_by.clear();
  const bool in_time = tally_.Ended(record, record.endpoint().pool);
  if (end == RequestEnd::kAnswered) {
    bound_.Add(record, in_time);
    coverage_.Done(record);
  }
  if (flight.session != 0) {
    turns_.push_back({.part = flight.part,
                      .session = flight.session,
                      .turn = flight.turn,
                      .at = ToNanos(now - agenda_.start()),
                      .answered = end == RequestEnd::kAnswered});
  }
  if (ended_.empty())
    agenda_.At(now + absl::Milliseconds(50), EventClass::kRouting, {TickKind::kFlush, 0});
  ended_.push_back(std::make_shared<const Request>(std::move(record)));
  flight.live = false;
  --in_flight_;
  free_.push_back(id);
}

// --- Waiting for room ----------------------------------------------------------------------------

void RequestFlow::WakeFor(std::uint32_t place, absl::Time now) {
  // Room for one may be room for more: they are asked in turn until one of them still waits.
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const std::uint64_t ticket = at->first;
    const std::uint32_t id = at->second;
    const auto& able = flights_[id].shape->endpoints;
    if (std::find(able.begin(), able.end(), place) == able.end()) {
      ++at;
      continue;
    }
    waiting_.erase(at);
    Dispatch(id, now);
    if (waiting_.contains(ticket)) return;
    at = waiting_.upper_bound(ticket);
  }
}

void RequestFlow::GiveUpWaiting(absl::Time now) {
  while (!patience_.empty() && patience_.begin()->first <= now) {
    const auto waiting = waiting_.find(patience_.begin()->second);
    patience_.erase(patience_.begin());
    if (waiting == waiting_.end()) continue;
    const std::uint32_t id = waiting->second;
    waiting_.erase(waiting);
    Finish(id, RequestEnd::kRefused, now);
  }
  if (!patience_.empty())
    agenda_.At(patience_.begin()->first, EventClass::kAdmission, {TickKind::kRoom, 0});
}

// --- Engines that go and come --------------------------------------------------------------------

void RequestFlow::SetUp(std::uint32_t place, bool up, absl::Time now) {
  VirtualServer& server = servers_[place];
  if (server.up == up) return;
  server.up = up;
  server.due = absl::InfiniteFuture();
  server.model->Restart();
  Mark(server, now);
  if (up) return;
  if (regret_ != nullptr) hindsight_.Lost(place, *regret_);
  std::vector<std::uint32_t> lost;
  for (std::uint32_t id = 0; id < flights_.size(); ++id) {
    if (flights_[id].live && flights_[id].server == static_cast<int>(place)) lost.push_back(id);
  }
  for (const std::uint32_t id : lost) {
    Flight& flight = flights_[id];
    flight.record.attempts.back().fault = ForwardFault::kBroken;
    const bool begun = flight.first_token;
    Release(flight, now);
    if (!begun) {
      ForwardAttempt& given_up = flight.record.attempts.back();
      given_up.held = flight.record.held;
      SettleLost(*flight.view, given_up);
    }
    flight.record.held = {};
    flight.first_token = false;
    if (begun) {
      Finish(id, RequestEnd::kBrokenOff, now);
    } else if (!Take(id, now)) {
      Finish(id, RequestEnd::kFailed, now);
    }
  }
}

std::vector<std::shared_ptr<const Request>> RequestFlow::TakeEnded() {
  return std::exchange(ended_, {});
}
std::vector<TurnEnd> RequestFlow::TakeTurns() { return std::exchange(turns_, {}); }

void RequestFlow::Abandon() {
  for (Flight& flight : flights_) {
    if (flight.live) tally_.Unfinished(flight.record.features.arrived);
  }
  if (regret_ != nullptr) hindsight_.Finish(*regret_);
}

absl::Status RequestFlow::CheckLittlesLaw(absl::Time end) {
  for (const Flight& flight : flights_) {
    if (!flight.live || flight.server < 0) continue;
    laws_[servers_[static_cast<std::size_t>(flight.server)].pool].Stayed(end - flight.taken_at);
  }
  for (std::size_t p = 0; p < laws_.size(); ++p) {
    if (laws_[p].HoldsAt(end)) continue;
    return absl::InternalError(absl::StrCat("pool ", view_->pools()[p].spec->name,
                                            ": requests in it over time are not the sum of their "
                                            "stays (Little's law)"));
  }
  return absl::OkStatus();
}

void RequestFlow::CloseStrips(absl::Time now) {
  for (VirtualServer& server : servers_) server.strip.Close(now - agenda_.start());
}

}  // namespace spillway
