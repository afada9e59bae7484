#include "scheduler/router.h"

#include <algorithm>
#include <tuple>

#include "policies/ability.h"
#include "scheduler/amounts.h"
#include "scheduler/router_estimate.h"

namespace spillway {
namespace {

// The longest that the sequence may become: what its blocks have to hold.
std::int64_t LongestOf(const RequestSize& size, const RequestFeatures& features) {
  return size.longest_prompt +
         (features.kind == ModelKind::kEmbedding
              ? 0
              : std::min(features.max_tokens.value_or(size.output), size.output * 2));
}

CodeSet StateCodes(const ViewPool& pool) {
  CodeSet codes;
  if (pool.removed) codes.Add(Code::kDown);
  if (pool.state == PoolState::kCordoned) codes.Add(Code::kCordoned);
  if (pool.state == PoolState::kDraining) codes.Add(Code::kDraining);
  return codes;
}

// Whoever asks for tokens gets none from a server of batches, and the other way round.
bool Answers(const Served& served, const RequestFeatures& features) {
  return (served.batch != nullptr) == (features.kind == ModelKind::kBatch);
}

RequestShape::OnPool Inspect(const RouterView& view, const RequestShape& shape,
                             const RequestFeatures& features, const ViewPool& pool) {
  RequestShape::OnPool on_pool;
  const WorkFace face = FaceOf(shape.work, -1);
  const Ability ability = AbilityOf(shape.work, face, *pool.spec);
  on_pool.codes = ability.codes;
  on_pool.figures = ability.figures;
  bool serves = false;
  for (std::uint32_t i = 0; i < pool.endpoints; ++i) {
    const ViewEndpoint& endpoint = view.endpoints()[pool.first_endpoint + i];
    const Served* served = endpoint.Find(shape.models);
    if (!served || !Answers(*served, features)) continue;
    serves = true;
    if (!endpoint.up) continue;
    const bool panic = view.models()[static_cast<std::size_t>(served->model)].panic;
    if (!endpoint.ejected || panic) on_pool.endpoints.push_back(pool.first_endpoint + i);
  }
  if (!serves && !pool.removed) on_pool.codes.Add(Code::kModel);
  const bool pinned_elsewhere = !features.pin.empty() && features.pin != pool.spec->name;
  if (pinned_elsewhere || !view.policy().Allows(shape.rule, *pool.spec))
    on_pool.codes.Add(Code::kRule);
  on_pool.codes = on_pool.codes | StateCodes(pool);
  if (serves && on_pool.endpoints.empty()) on_pool.codes.Add(Code::kDown);
  return on_pool;
}

bool IsPricedAtAll(const ViewPool& pool) {
  return pool.spec->billing == Billing::kToken ? pool.price.input || pool.price.output
                                               : IsPriced(*pool.spec, pool.price);
}

void FindBaselines(const RouterView& view, const RequestFeatures& features, RequestShape& shape) {
  const std::string& wanted = view.policy().spec().baseline;
  for (std::uint32_t p = 0; p < view.pools().size(); ++p) {
    const ViewPool& pool = view.pools()[p];
    const bool named = pool.spec->name == wanted;
    if (pool.removed || (!named && !(wanted == "cheapest-nvidia" && pool.spec->vendor == "nvidia")))
      continue;
    RequestShape::BaselinePool baseline{.pool = p};
    for (std::uint32_t i = 0; i < pool.endpoints; ++i) {
      const std::uint32_t place = pool.first_endpoint + i;
      const Served* served = view.endpoints()[place].Find(shape.models);
      if (!served || !Answers(*served, features)) continue;
      if (baseline.engines++ == 0) baseline.endpoint = place;
    }
    if (baseline.engines == 0) continue;
    if (IsPricedAtAll(pool)) {
      shape.baselines.push_back(baseline);
    } else {
      shape.baseline_code = Code::kUnpriced;
    }
  }
}

constexpr std::uint32_t Bit(Code code) { return 1u << static_cast<unsigned>(code); }
bool OnlyLate(CodeSet codes) { return (codes.bits() & ~Bit(Code::kTooLate)) == 0; }
// It could do the request if it were there.
bool OnlyAway(CodeSet codes) {
  constexpr std::uint32_t kAway = Bit(Code::kDown) | Bit(Code::kCordoned) | Bit(Code::kDraining);
  return !codes.empty() && (codes.bits() & ~kAway) == 0;
}

// The engine itself queues what does not fit into its batch, so an idle one takes any number.
bool HasRoom(const ViewEndpoint& endpoint, const EndpointLoad& load, int sequences) {
  const int in_use = load.running + load.waiting;
  return in_use <= 0 || in_use + sequences <= endpoint.concurrency;
}

}  // namespace

RequestShape MakeRequestShape(const RouterView& view, const RequestFeatures& features) {
  RequestShape shape;
  shape.view = view.id();
  for (const std::string& name : features.models) {
    if (const int model = view.FindModel(name); model >= 0) shape.models.push_back(model);
  }
  shape.work.kind = WorkKind::kRequest;
  shape.work.tenant = features.tenant;
  shape.work.needs.model = features.model;
  shape.rule = view.policy().RuleFor(shape.work);
  shape.work.needs.model.clear();  // who serves what, the endpoints say
  for (const ViewPool& pool : view.pools()) {
    shape.pools.push_back(Inspect(view, shape, features, pool));
    const RequestShape::OnPool& on_pool = shape.pools.back();
    if (!pool.removed && OnlyAway(on_pool.codes))
      shape.away.push_back(static_cast<std::uint32_t>(shape.pools.size() - 1));
    if (!on_pool.codes.empty()) continue;
    shape.endpoints.insert(shape.endpoints.end(), on_pool.endpoints.begin(),
                           on_pool.endpoints.end());
  }
  FindBaselines(view, features, shape);
  return shape;
}

void Router::SetLimits(const RouterView& view, const RequestShape& shape,
                       const RequestFeatures& features) {
  asked_.size = SizeOf(view, shape, features);
  asked_.longest = LongestOf(asked_.size, features);
  asked_.features = &features;
  const PolicySpec& policy = view.policy().spec();
  const ViewModel* model =
      shape.models.empty() ? nullptr : &view.models()[static_cast<std::size_t>(shape.models[0])];
  const RequestLimits limits = view.Limits(features, model);
  asked_.ttft = limits.ttft;
  asked_.tpot = limits.tpot;
  switch (policy.spill.rule) {
    case SpillRule::kAtOnce:
      asked_.patience.reset();
      break;
    case SpillRule::kPatience:
      asked_.patience = policy.spill.patience;
      break;
    case SpillRule::kNeed:
      asked_.patience = Scale(asked_.ttft, policy.spill.request_wait);
      break;
  }
  route_.prompt_tokens = asked_.size.prompt;
  route_.output_tokens = asked_.size.output;
  route_.ttft_limit = asked_.ttft;
  route_.tpot_limit = asked_.tpot;
}

void Router::Judge(const RouterView& view, const RequestShape& shape,
                   absl::Span<const EndpointReading> readings, std::uint64_t draw) {
  judged_.clear();
  fits_.assign(readings.size(), Fit::kNone);
  for (std::size_t at = 0, end = 0; at < readings.size(); at = end) {
    const std::uint32_t pool = view.endpoints()[readings[at].endpoint].pool;
    while (end < readings.size() && view.endpoints()[readings[end].endpoint].pool == pool) ++end;
    judged_.push_back({.pool = pool});
    JudgePool(view, shape, readings.subspan(at, end - at),
              absl::MakeSpan(fits_).subspan(at, end - at), draw, judged_.back());
  }
}

void Router::JudgePool(const RouterView& view, const RequestShape& shape,
                       absl::Span<const EndpointReading> readings, absl::Span<Fit> fits,
                       std::uint64_t draw, RoutedPool& judged) const {
  bool holds = false;
  std::tuple<Fit, absl::Duration, std::uint64_t> best;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const EndpointReading& reading = readings[i];
    const ViewEndpoint& endpoint = view.endpoints()[reading.endpoint];
    const Served& served = *endpoint.Find(shape.models);
    if (asked_.longest > served.longest()) continue;
    holds = true;
    if (!HasRoom(endpoint, reading.load, asked_.size.sequences)) continue;
    const RequestTiming t = TimingOn(view, endpoint, served, reading.load, asked_.size);
    if (IsInfinite(t.ttft)) continue;
    RoutedPool there{.pool = judged.pool, .endpoint = reading.endpoint, .open = true};
    there.estimate = EstimateFrom(view, endpoint, served, reading.load, asked_.size, t);
    there.ttft_p90 = t.ttft_p90;
    there.raw_ttft = t.raw_ttft;
    there.raw_tpot = t.raw_tpot;
    JudgeMoney(view, reading, served, there);
    const bool queues =
        PlacesIn(served, reading.load) + PlacesFor(served, asked_.size) > served.places();
    JudgeTime(t.wait_p90, t.ttft_p90, t.tpot_p90, queues, there);
    there.in_time = there.codes.empty();
    fits[i] = there.in_time ? Fit::kGood : OnlyLate(there.codes) ? Fit::kLate : Fit::kRefused;
    // In time: the soonest answer; else: the soonest first token.
    const std::uint64_t turn = (i + readings.size() - draw % readings.size()) % readings.size();
    const std::tuple rank(fits[i], there.in_time ? t.wait + t.duration : t.ttft_p90, turn);
    if (judged.open && best <= rank) continue;
    best = rank;
    judged = there;
  }
  if (!judged.open) judged.codes.Add(holds ? Code::kQuota : Code::kMemory);
}

// A budget holds whatever the answer turns out to be, so it is compared with the most that the
// request may cost.
void Router::JudgeMoney(const RouterView& view, const EndpointReading& reading,
                        const Served& served, RoutedPool& judged) const {
  JudgeBudget(view, reading, served, judged);
  const std::optional<Usd>& max_cost = asked_.features->max_cost;
  if (!judged.estimate.priced) {
    if (!view.policy().spec().allow_unpriced || max_cost) judged.codes.Add(Code::kUnpriced);
    return;
  }
  if (!max_cost) return;
  const ViewEndpoint& endpoint = view.endpoints()[reading.endpoint];
  const Usd most = std::max(judged.estimate.cost,
                            MostCostOn(view, endpoint, served, reading.load, asked_.size,
                                       LongestAnswer(served, *asked_.features, asked_.size)));
  if (most <= *max_cost) return;
  judged.codes.Add(Code::kTooDear);
  judged.figures = {most.value(), max_cost->value()};
}

// A tenant's budget sets aside what the request is likely to cost at most. One that is spent leaves
// only the pools that it demotes to, whatever they cost.
void Router::JudgeBudget(const RouterView& view, const EndpointReading& reading,
                         const Served& served, RoutedPool& judged) const {
  const RequestFeatures& features = *asked_.features;
  if (!features.budget_left) return;
  const ViewEndpoint& endpoint = view.endpoints()[reading.endpoint];
  const Usd most = MostCostOn(view, endpoint, served, reading.load, asked_.size,
                              LikelyLongest(view, served, features, asked_.size));
  const bool fits = !features.demoted && judged.estimate.priced && most <= *features.budget_left;
  if (fits) return;
  const TenantSpec* tenant = view.FindTenant(features.tenant);
  if (tenant != nullptr && tenant->budget.demote_to &&
      tenant->budget.demote_to->Matches(*view.pools()[endpoint.pool].spec))
    return;
  if (judged.codes.empty()) judged.figures = {most.value(), features.budget_left->value()};
  judged.codes.Add(Code::kBudget);
}

void Router::JudgeTime(absl::Duration wait_p90, absl::Duration ttft_p90, absl::Duration tpot_p90,
                       bool queues, RoutedPool& judged) const {
  const auto late = [&](absl::Duration found, absl::Duration wanted) {
    if (judged.codes.empty()) judged.figures = {ToNanos(found), ToNanos(wanted)};
    judged.codes.Add(Code::kTooLate);
  };
  if (ttft_p90 > asked_.ttft) {
    late(ttft_p90, asked_.ttft);
  } else if (asked_.patience ? wait_p90 > *asked_.patience : queues) {
    late(wait_p90, asked_.patience.value_or(absl::ZeroDuration()));
  } else if (tpot_p90 > asked_.tpot) {
    late(tpot_p90, asked_.tpot);
  }
}

void Router::Arrange(const RouterView& view, const RequestShape& shape, std::uint64_t draw) {
  claimants_.clear();
  place_.assign(view.pools().size(), -1);
  for (std::size_t i = 0; i < judged_.size(); ++i) {
    const RoutedPool& judged = judged_[i];
    const ViewPool& pool = view.pools()[judged.pool];
    place_[judged.pool] = static_cast<int>(i);
    const bool priced = judged.open && judged.estimate.priced;
    claimants_.push_back({pool.id, pool.spec.get(),
                          priced ? std::optional(judged.estimate.marginal_cost) : std::nullopt});
  }
  view.policy().Arrange(shape.work, shape.rule, claimants_, draw, claims_);
  route_.pools.clear();
  for (const Claim& claim : claims_) {
    RoutedPool& judged = judged_[static_cast<std::size_t>(place_[Index(claim.pool)])];
    judged.tier = claim.tier;
    judged.backstop = claim.backstop;
    route_.pools.push_back(judged);
  }
}

void Router::Pick(const RouterView& view, std::uint64_t draw) {
  const auto& pools = route_.pools;
  const auto first = std::find_if(pools.begin(), pools.end(),
                                  [](const RoutedPool& p) { return p.open && p.in_time; });
  if (first != pools.end()) {
    options_.clear();
    option_index_.clear();
    for (std::size_t i = 0; i < pools.size(); ++i) {
      const RoutedPool& p = pools[i];
      if (p.tier != first->tier || !p.open || !p.in_time) continue;
      options_.push_back({.pool = view.pools()[p.pool].id,
                          .marginal_cost = p.estimate.marginal_cost,
                          .finish = *p.estimate.ttft,
                          .energy = p.estimate.energy,
                          .carbon = p.estimate.carbon,
                          .load = absl::ToDoubleSeconds(p.estimate.wait.p50)});
      option_index_.push_back(static_cast<int>(i));
    }
    route_.chosen = option_index_[view.policy().choice().Pick(options_, draw)];
    return;
  }
  // Late work runs where its first token comes soonest.
  for (std::size_t i = 0; i < pools.size(); ++i) {
    if (!pools[i].open || !OnlyLate(pools[i].codes)) continue;
    if (route_.chosen < 0 ||
        pools[i].ttft_p90 < pools[static_cast<std::size_t>(route_.chosen)].ttft_p90)
      route_.chosen = static_cast<int>(i);
  }
}

void Router::ListTries(const RouterView& view, absl::Span<const EndpointReading> readings) {
  std::vector<std::uint32_t>& order = route_.order;
  int tier = 0;
  const auto add = [&](std::uint32_t endpoint) {
    if (order.size() >= kMostTries ||
        std::find(order.begin(), order.end(), endpoint) != order.end())
      return;
    order.push_back(endpoint);
    route_.tiers.push_back(tier);
  };
  const RoutedPool& chosen = route_.pools[static_cast<std::size_t>(route_.chosen)];
  tier = chosen.tier;
  add(chosen.endpoint);
  for (const Fit fit : {Fit::kGood, Fit::kLate}) {
    // The other engines of a pool stand beside its best one.
    const auto add_pool = [&](const RoutedPool& pool) {
      tier = pool.tier;
      if (pool.open && pool.in_time == (fit == Fit::kGood) && OnlyLate(pool.codes))
        add(pool.endpoint);
      for (std::size_t i = 0; i < readings.size(); ++i) {
        const std::uint32_t place = readings[i].endpoint;
        if (fits_[i] == fit && view.endpoints()[place].pool == pool.pool) add(place);
      }
    };
    add_pool(chosen);
    for (const RoutedPool& pool : route_.pools) add_pool(pool);
  }
}

// Of an idle engine of the pool, as if it were there. None: nobody knows the price.
std::optional<Usd> Router::MarginalOf(const RouterView& view, const RequestShape& shape,
                                      const ViewPool& pool) const {
  for (std::uint32_t i = 0; i < pool.endpoints; ++i) {
    const ViewEndpoint& endpoint = view.endpoints()[pool.first_endpoint + i];
    const Served* served = endpoint.Find(shape.models);
    if (!served || !Answers(*served, *asked_.features)) continue;
    const Estimate idle = EstimateOn(view, endpoint, *served, EndpointLoad(), asked_.size);
    return idle.priced ? std::optional(idle.marginal_cost) : std::nullopt;
  }
  return std::nullopt;
}

void Router::SetSpill(const RouterView& view, const RequestShape& shape, std::uint64_t draw) {
  const RoutedPool& chosen = route_.pools[static_cast<std::size_t>(route_.chosen)];
  const RoutedPool& first = route_.pools.front();
  if (first.tier < chosen.tier) {
    route_.spilled_from = view.pools()[first.pool].id;
    route_.spilled_code = first.codes.First();
  }
  if (shape.away.empty()) return;
  // Rare: once more, with those that are not there among them.
  for (const std::uint32_t place : shape.away) {
    const ViewPool& pool = view.pools()[place];
    claimants_.push_back({pool.id, pool.spec.get(), MarginalOf(view, shape, pool)});
  }
  view.policy().Arrange(shape.work, shape.rule, claimants_, draw, claims_);
  const PoolId chosen_id = view.pools()[chosen.pool].id;
  const auto has_it = std::find_if(claims_.begin(), claims_.end(),
                                   [&](const Claim& claim) { return claim.pool == chosen_id; });
  const Claim& head = claims_.front();
  if (has_it == claims_.end() || head.tier >= has_it->tier) return;
  for (const std::uint32_t place : shape.away) {
    if (view.pools()[place].id != head.pool) continue;
    route_.spilled_from = head.pool;
    route_.spilled_code = shape.pools[place].codes.First();
  }
}

// What stands before the chosen pool keeps its codes; the others would do, but are not needed.
void Router::SetVerdicts() {
  const RoutedPool* best =
      route_.chosen < 0 ? nullptr : &route_.pools[static_cast<std::size_t>(route_.chosen)];
  for (RoutedPool& pool : route_.pools) {
    pool.verdict = Verdict::kRefused;
    if (best == nullptr || &pool == best || !pool.codes.empty()) continue;
    pool.verdict = Verdict::kOutranked;
    pool.codes.Add(Code::kOutranked);
    pool.figures = {pool.estimate.marginal_cost.value(), best->estimate.marginal_cost.value()};
  }
}

void Router::Refuse(const RequestShape& shape) {
  const bool full =
      std::any_of(route_.pools.begin(), route_.pools.end(),
                  [](const RoutedPool& pool) { return pool.codes.bits() == Bit(Code::kQuota); });
  route_.outcome = full ? Routed::kFull : Routed::kRefused;
  route_.code = full ? Code::kQuota : Code::kModel;
  if (full) return;
  const auto beyond = [](const RoutedPool& pool) { return pool.codes.Has(Code::kBudget); };
  if (!route_.pools.empty() && std::all_of(route_.pools.begin(), route_.pools.end(), beyond)) {
    route_.code = Code::kBudget;
    return;
  }
  if (!route_.pools.empty()) {
    route_.code = route_.pools.front().codes.First();
    return;
  }
  // The most hopeful reason: what will pass rather than what never will.
  for (const RequestShape::OnPool& pool : shape.pools) {
    if (!pool.codes.empty() && !pool.codes.Has(Code::kModel))
      route_.code = std::max(route_.code, pool.codes.First());
  }
}

const RoutePlan& Router::Choose(const RouterView& view, const RequestShape& shape,
                                const RequestFeatures& features,
                                absl::Span<const EndpointReading> readings, std::uint64_t draw) {
  route_.order.clear();
  route_.tiers.clear();
  route_.chosen = -1;
  route_.spilled_from = kNoPool;
  route_.spilled_code = Code::kChosen;
  SetLimits(view, shape, features);
  Judge(view, shape, readings, draw);
  Arrange(view, shape, draw);
  Pick(view, draw);
  if (route_.chosen >= 0) ListTries(view, readings);
  SetVerdicts();
  if (route_.chosen < 0) {
    Refuse(shape);
    return route_;
  }
  route_.outcome = Routed::kRouted;
  route_.code = features.pin.empty() ? Code::kChosen : Code::kPinned;
  RoutedPool& chosen = route_.pools[static_cast<std::size_t>(route_.chosen)];
  chosen.verdict = Verdict::kChosen;
  SetSpill(view, shape, draw);
  chosen.codes.Add(route_.code);
  return route_;
}

void NoteFailover(const RouterView& view, absl::Span<const int> tiers, std::size_t at,
                  Request& request) {
  if (at == 0 || at >= tiers.size() || request.spilled_from != kNoPool || tiers[at] <= tiers[0])
    return;
  const ViewEndpoint& first = view.endpoints()[request.order[0]];
  request.spilled_from = view.pools()[first.pool].id;
  request.spilled_code = Code::kDown;
}

}  // namespace spillway
