// Laws that hold for every request, over many seeds of random fleets, policies, requests and loads.
// The oracle works everything out from the fleet and the readings by its own formulas; of a route
// it only looks at where the request goes.
#include <gtest/gtest.h>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <boost/random/uniform_real_distribution.hpp>
#include <cmath>
#include <set>

#include "performance/request_time.h"
#include "tests/performance/engine_world.h"
#include "tests/support/guessed_steps.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using fixtures::RouterWorld;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int Roll(int low, int high) {
    return boost::random::uniform_int_distribution<int>(low, high)(engine_);
  }
  bool Chance(double p) {
    return boost::random::uniform_real_distribution<double>(0, 1)(engine_) < p;
  }

 private:
  boost::random::mt19937 engine_;
};

const std::vector<std::string> kModels{"llama", "mixture", "private"};

PoolSpec RandomPool(Dice& dice, int number) {
  const std::string name = "p" + std::to_string(number);
  const std::string model = kModels[static_cast<std::size_t>(dice.Roll(0, 2))];
  const int engines = dice.Roll(1, 4);
  PoolSpec pool = dice.Chance(0.3)   ? fixtures::UrlPool(name, engines, {model})
                  : dice.Chance(0.4) ? fixtures::NvidiaPool(name, engines, model)
                                     : fixtures::EnginePool(name, engines, model);
  if (dice.Chance(0.3)) {
    const std::string other = kModels[static_cast<std::size_t>(dice.Roll(0, 2))];
    if (other != model) pool.serves.push_back({.model = other});
    pool.nodes = engines + 1;
  }
  if (dice.Chance(0.5)) pool.device = dice.Chance(0.5) ? "gpu" : "big";
  if (pool.device == "big") pool.device_memory = fixtures::GiB(80);
  pool.price.node_hour = UsdPerHour(dice.Roll(1, 5'000'000) * std::int64_t{1'000});
  if (dice.Chance(0.3)) pool.billing = Billing::kCommitted;
  if (dice.Chance(0.1)) pool.billing = Billing::kUnpriced;
  if (dice.Chance(0.15)) {
    pool.billing = Billing::kToken;
    pool.price = {.input = UsdPerMtoken(dice.Roll(0, 3) * std::int64_t{100'000'000}),
                  .output = UsdPerMtoken(dice.Roll(1, 9) * std::int64_t{100'000'000})};
  }
  pool.peak_ops = dice.Roll(1, 5) * 1e12;
  pool.tier = dice.Roll(0, 2);
  pool.site.round_trip = absl::Milliseconds(dice.Roll(0, 40));
  if (dice.Chance(0.5)) pool.adapter.concurrency = dice.Roll(2, 40);
  for (ServeSpec& serve : pool.serves) {
    if (dice.Chance(0.3)) serve.max_sequences = dice.Roll(2, 32);
    if (dice.Chance(0.2)) serve.kv_blocks = dice.Roll(20, 400);
  }
  if (dice.Chance(0.1)) pool.tenants = {"blue"};
  return pool;
}

RouterWorld RandomWorld(Dice& dice) {
  RouterWorld world;
  world.catalog = World();
  const int pools = dice.Roll(2, 6);
  for (int i = 0; i < pools; ++i) {
    RouterPool& pool = world.Add(RandomPool(dice, i));
    for (EndpointState& endpoint : pool.endpoints) {
      endpoint.up = dice.Chance(0.9);
      endpoint.ejected = dice.Chance(0.1);
    }
    if (dice.Chance(0.1)) pool.state = static_cast<PoolState>(dice.Roll(1, 2));
    pool.removed = dice.Chance(0.05);
    for (const std::string& model : kModels) {
      if (dice.Chance(0.5))
        world.Observe(pool.spec->name, dice.Roll(1, 80) * 0.1, dice.Roll(1, 40) * 0.1,
                      1 + 0.1 * dice.Roll(0, 10), model);
    }
  }
  for (const std::string& model : kModels) {
    if (dice.Chance(0.5))
      world.inputs.models[model] = {.micro_bytes_per_token = dice.Roll(2, 6) * kMillion,
                                    .output_p50 = dice.Roll(1, 400),
                                    .output_p90 = 900};
  }
  PolicySpec& policy = world.policy;
  if (dice.Chance(0.4)) policy = fixtures::LeastCostPolicy();
  if (dice.Chance(0.2)) policy.claim.order = OrderBy::kTiers;
  policy.claim.band = dice.Chance(0.5) ? 0.0 : 0.02;
  policy.spill.rule = static_cast<SpillRule>(dice.Roll(0, 2));
  policy.choice = static_cast<ChoiceRule>(dice.Roll(0, 6));
  policy.allow_unpriced = dice.Chance(0.5);
  if (dice.Chance(0.2)) policy.objectives.models["llama"] = {.ttft = absl::Seconds(1)};
  return world;
}

RequestFeatures RandomRequest(Dice& dice) {
  RequestFeatures features =
      fixtures::ChatRequest(kModels[static_cast<std::size_t>(dice.Roll(0, 2))]);
  if (dice.Chance(0.3)) features.models = {"mixture", "llama"};
  if (dice.Chance(0.1)) features.kind = ModelKind::kEmbedding;
  features.prompt_bytes = dice.Chance(0.1) ? dice.Roll(0, 40'000) : dice.Roll(0, 6000);
  features.max_tokens.reset();
  if (dice.Chance(0.6)) features.max_tokens = dice.Roll(1, 800);
  if (dice.Chance(0.2)) features.choices = dice.Roll(2, 6);
  if (dice.Chance(0.15)) features.prompts = dice.Roll(2, 80);
  features.longest_prompt_bytes = dice.Roll(0, static_cast<int>(features.prompt_bytes));
  if (dice.Chance(0.3)) features.max_cost = Usd(dice.Roll(1, 40'000) * std::int64_t{1'000});
  if (dice.Chance(0.3)) features.ttft = absl::Milliseconds(dice.Roll(50, 3000));
  if (dice.Chance(0.3)) features.tpot = absl::Milliseconds(dice.Roll(5, 200));
  if (dice.Chance(0.2)) features.tenant = "blue";
  return features;
}

EndpointLoad RandomLoad(Dice& dice) {
  EndpointLoad load;
  if (dice.Chance(0.3)) return load;
  load.running = dice.Roll(0, 30);
  load.context_tokens = load.running * dice.Roll(10, 800);
  if (dice.Chance(0.5)) load.waiting = dice.Roll(0, 12);
  load.waiting_tokens = load.waiting * dice.Roll(0, 1500);
  if (dice.Chance(0.2)) load.cached_blocks = dice.Roll(1, 6);
  return load;
}

class Oracle {
 public:
  // Figures in seconds and nano-dollars, good to a few parts in a million.
  struct Sight {
    EndpointKey key;
    bool holds = false, room = false;
    bool affordable = false, dear = false;  // without a doubt; neither: too close to say
    double wait_p90 = 0, ttft_p90 = 0, tpot_p90 = 0, marginal = 0;
    bool queues = false;
    bool open() const { return holds && room; }
  };

  Oracle(const RouterWorld& world, const RequestFeatures& features,
         const std::map<EndpointKey, EndpointLoad>& loads)
      : world_(world), features_(features) {
    const auto learned = world.inputs.models.find(features.models[0]);
    const bool known = learned != world.inputs.models.end();
    const double bytes =
        known ? static_cast<double>(learned->second.micro_bytes_per_token) / 1e6 : 4.0;
    const auto tokens = [&](std::int64_t of) {
      return std::max(1.0, std::ceil(static_cast<double>(of) / bytes - 1e-9));
    };
    prompt_ = std::max(tokens(features.prompt_bytes), 1.0 * features.prompts);
    longest_ = features.prompts > 1 ? tokens(features.longest_prompt_bytes) : prompt_;
    double output = known && learned->second.output_p50 > 0
                        ? static_cast<double>(learned->second.output_p50)
                        : 128;
    if (features.max_tokens) output = std::min(output, static_cast<double>(*features.max_tokens));
    output_ = features.kind == ModelKind::kEmbedding ? 0 : std::max(1.0, output);
    const PolicySpec& policy = world.policy;
    ttft_ = absl::ToDoubleSeconds(policy.objectives.request_ttft);
    if (policy.objectives.models.contains(features.models[0])) ttft_ = 1;
    if (features.ttft) ttft_ = std::min(ttft_, absl::ToDoubleSeconds(*features.ttft));
    tpot_ = absl::ToDoubleSeconds(policy.objectives.request_tpot);
    if (features.tpot) tpot_ = std::min(tpot_, absl::ToDoubleSeconds(*features.tpot));
    FindPanic();
    for (std::uint32_t p = 0; p < world.inputs.pools.size(); ++p) Look(p, loads);
  }

  bool Able(std::uint32_t p) const { return able_.contains(p); }
  const std::vector<Sight>& On(std::uint32_t p) const { return sights_.at(p); }
  const Sight* Find(EndpointKey key) const {
    if (!Able(Index(key.pool))) return nullptr;
    for (const Sight& s : On(Index(key.pool))) {
      if (s.key == key) return &s;
    }
    return nullptr;
  }
  bool InTime(const Sight& s) const { return Meets(s, -1); }  // without a doubt
  bool Late(const Sight& s) const { return !Meets(s, +1); }   // without a doubt

  // Does pool `a` claim strictly before `b`, by more than rounding and the band could blur?
  bool Before(std::uint32_t a, std::uint32_t b) const {
    const PolicySpec& policy = world_.policy;
    const PoolSpec &p = Spec(a), &q = Spec(b);
    const auto last = [&](const PoolSpec& x) {
      return policy.claim.backstop && policy.claim.backstop->Matches(x);
    };
    if (last(p) != last(q)) return last(q);
    const bool by_tier = policy.claim.order == OrderBy::kTiers;
    if (by_tier && p.tier != q.tier) return p.tier < q.tier;
    const auto unknown = [](const PoolSpec& x) { return x.billing == Billing::kUnpriced; };
    if (unknown(p) != unknown(q)) return unknown(q);
    if (by_tier || unknown(p)) return false;
    const bool mine = p.billing == Billing::kCommitted, theirs = q.billing == Billing::kCommitted;
    if (mine != theirs) return mine;
    if (mine && p.peak_ops != q.peak_ops) return p.peak_ops < q.peak_ops;
    double dearest = 0, cheapest = 1e300;
    for (const Sight& s : On(a)) dearest = std::max(dearest, s.open() ? s.marginal : 0);
    for (const Sight& s : On(b)) cheapest = std::min(cheapest, s.open() ? s.marginal : 1e300);
    return dearest * (1 + policy.claim.band) * (1 + 1e-6) + 10 < cheapest;
  }

 private:
  const RouterPool& Pool(std::uint32_t p) const { return world_.inputs.pools[p]; }
  const PoolSpec& Spec(std::uint32_t p) const { return *Pool(p).spec; }

  // The models of one engine, in the order of the file.
  std::vector<const ServeSpec*> ServesAt(std::uint32_t p, int number) const {
    std::vector<const ServeSpec*> all;
    int from = 0;
    for (const ServeSpec& serve : Spec(p).serves) {
      const bool here =
          !Spec(p).adapter.urls.empty() || (number >= from && number < from + serve.replicas);
      if (here) all.push_back(&serve);
      from += serve.replicas;
    }
    return all;
  }
  const ServeSpec* Wanted(std::uint32_t p, int number) const {
    for (const std::string& model : features_.models) {
      for (const ServeSpec* serve : ServesAt(p, number)) {
        if (serve->model == model) return serve;
      }
    }
    return nullptr;
  }
  int Engines(std::uint32_t p) const {
    int all = static_cast<int>(Spec(p).adapter.urls.size());
    if (all == 0) {
      for (const ServeSpec& serve : Spec(p).serves) all += serve.replicas;
    }
    return all;
  }
  bool InUse(std::uint32_t p) const {
    return !Pool(p).removed && Pool(p).state == PoolState::kActive;
  }

  void FindPanic() {
    for (const std::string& model : kModels) {
      int up = 0, out = 0;
      for (std::uint32_t p = 0; p < world_.inputs.pools.size(); ++p) {
        for (int n = 0; InUse(p) && n < Engines(p); ++n) {
          const EndpointState& state = Pool(p).endpoints[static_cast<std::size_t>(n)];
          for (const ServeSpec* serve : ServesAt(p, n)) {
            if (serve->model != model || !state.up) continue;
            ++up;
            out += state.ejected;
          }
        }
      }
      panic_[model] = out * 2 > up;
    }
  }

  void Look(std::uint32_t p, const std::map<EndpointKey, EndpointLoad>& loads) {
    const auto& tenants = Spec(p).tenants;
    if (!InUse(p) || (!tenants.empty() && features_.tenant != "blue")) return;
    for (int n = 0; n < Engines(p); ++n) {
      const ServeSpec* serve = Wanted(p, n);
      const EndpointState& state = Pool(p).endpoints[static_cast<std::size_t>(n)];
      if (serve == nullptr || !state.up || (state.ejected && !panic_.at(serve->model))) continue;
      able_.insert(p);
      const EndpointKey key{PoolId{p}, n};
      const auto load = loads.find(key);
      sights_[p].push_back(
          LookAt(p, key, *serve, load == loads.end() ? EndpointLoad() : load->second));
    }
  }

  Sight LookAt(std::uint32_t p, EndpointKey key, const ServeSpec& serve,
               const EndpointLoad& load) const {
    const PoolSpec& spec = Spec(p);
    Sight s{.key = key};
    std::shared_ptr<const StepTimes> steps = StepTimesFor(world_.catalog, spec, serve);
    const Basis basis = steps ? steps->basis() : Basis::kAssumed;
    if (!steps) steps = std::make_shared<fixtures::GuessedSteps>();
    EngineLimits limits{.max_sequences = serve.max_sequences.value_or(64),
                        .kv_blocks = serve.kv_blocks.value_or(1'000'000),
                        .context = serve.model == "private" ? 0 : 4096};
    if (const auto known = LimitsFor(world_.catalog, spec, serve); known.ok()) limits = *known;
    const double longest =
        longest_ + (features_.kind == ModelKind::kEmbedding ? 0
                    : features_.max_tokens
                        ? std::min(static_cast<double>(*features_.max_tokens), 2 * output_)
                        : output_);
    s.holds = longest <= static_cast<double>(limits.LongestSequence());
    int widest = 0;
    for (const ServeSpec* each : ServesAt(p, key.number)) {
      const auto of = LimitsFor(world_.catalog, spec, *each);
      widest = std::max(widest, of.ok() ? of->max_sequences : each->max_sequences.value_or(64));
    }
    const int most = spec.adapter.concurrency > 0 ? spec.adapter.concurrency : 2 * widest;
    const int in_flight = load.running + load.waiting;
    s.room = in_flight == 0 || in_flight + features_.sequences() <= most;
    s.queues = in_flight + features_.sequences() > limits.max_sequences;
    if (!s.open()) return s;

    const auto learned = world_.inputs.models.find(serve.model);
    const bool has_learned = learned != world_.inputs.models.end();
    const double bytes =
        has_learned ? static_cast<double>(learned->second.micro_bytes_per_token) / 1e6 : 4.0;
    const bool keeps =
        KeepsPrefixes(spec) && features_.prompts == 1 && features_.kind == ModelKind::kChat;
    const double cached =
        keeps ? std::min(std::floor(load.cached_blocks * 1024 / bytes), prompt_ - 1) : 0;
    const std::int64_t typical = has_learned ? learned->second.output_p50 : 0;
    const AnswerLengths answers = AnswerLengths::WithMedian(static_cast<double>(typical));
    const EngineLoad engine{.running = load.running,
                            .waiting = load.waiting,
                            .waiting_tokens = load.waiting_tokens,
                            .context_tokens = load.context_tokens,
                            .typical_output = typical,
                            .answers = typical > 0 ? &answers : nullptr};
    const double turns = std::ceil(static_cast<double>(features_.prompts) / limits.max_sequences);
    const RequestTimes times = TimesOf(*steps, limits, engine, Asked(prompt_ - cached, output_));
    if (times.ttft == absl::InfiniteDuration()) {
      s.room = false;
      return s;
    }
    double ttft50 = 1, ttft90 = SpreadOf(basis), tpot50 = 1, tpot90 = SpreadOf(basis);
    bool observed = false;
    for (const SpeedCorrection& c : Pool(p).speeds) {
      if (c.model != serve.model) continue;
      observed = true;
      ttft50 = static_cast<double>(c.ttft_p50) / 1e6;
      ttft90 = static_cast<double>(c.ttft_p90) / 1e6;
      tpot50 = static_cast<double>(c.tpot_p50) / 1e6;
      tpot90 = static_cast<double>(c.tpot_p90) / 1e6;
    }
    const double wait = absl::ToDoubleSeconds(times.wait), ttft = absl::ToDoubleSeconds(times.ttft);
    const double tpot = absl::ToDoubleSeconds(times.tpot);
    // Until others end: by their lengths, at the speed between tokens.
    const double place = absl::ToDoubleSeconds(times.place);
    const double place_p90 = absl::ToDoubleSeconds(times.place_p90) * (observed ? tpot50 : 1);
    s.wait_p90 = (wait - place) * ttft90 + place_p90;
    s.ttft_p90 = (ttft - place) * ttft90 + place_p90 + absl::ToDoubleSeconds(spec.site.round_trip);
    s.tpot_p90 = tpot * tpot90;
    const double busy = (ttft - wait) * ttft50 + tpot * tpot50 * std::max(output_ - 1, 0.0) * turns;
    const double held = busy * features_.sequences() /
                        (std::min(in_flight, limits.max_sequences - 1) + features_.sequences());
    s.marginal = MoneyOn(p, held, output_, /*marginal=*/true);

    // The budget is to hold for the longest answer.
    const double room = static_cast<double>(limits.LongestSequence()) - longest_;
    double answer =
        std::max(output_, features_.max_tokens ? static_cast<double>(*features_.max_tokens) : room);
    if (features_.kind == ModelKind::kEmbedding) answer = 0;
    const RequestTimes at_most =
        TimesOf(*steps, limits, engine, Asked(prompt_ - cached, std::min(answer, room)));
    const double busy_p90 =
        (absl::ToDoubleSeconds(at_most.ttft) - absl::ToDoubleSeconds(at_most.wait)) * ttft90 +
        absl::ToDoubleSeconds(at_most.tpot) * tpot90 * std::max(std::min(answer, room) - 1, 0.0) *
            turns;
    Compare(p, MoneyOn(p, held / busy * busy_p90, answer, /*marginal=*/false), s);
    return s;
  }

  // Nano-dollars.
  double MoneyOn(std::uint32_t p, double held, double output, bool marginal) const {
    const PoolSpec& spec = Spec(p);
    const double nodes =
        spec.adapter.urls.empty()
            ? 1
            : static_cast<double>(spec.nodes) / static_cast<double>(spec.adapter.urls.size());
    switch (spec.billing) {
      case Billing::kUnpriced:
        return 0;
      case Billing::kToken:
        return (prompt_ * static_cast<double>(spec.price.input->value()) +
                output * features_.sequences() * static_cast<double>(spec.price.output->value())) /
               1e6;
      case Billing::kCommitted:
        if (marginal) return 100 * nodes * held / 3.6e6 * 0.36e9;  // watts, tariff
        [[fallthrough]];
      case Billing::kMetered:
        return static_cast<double>(spec.price.node_hour->value()) * nodes * held / 3600;
    }
    return 0;
  }

  void Compare(std::uint32_t p, double cost, Sight& s) const {
    if (Spec(p).billing == Billing::kUnpriced) {
      s.affordable = world_.policy.allow_unpriced && !features_.max_cost;
      s.dear = !s.affordable;
      return;
    }
    s.affordable = !features_.max_cost ||
                   cost * (1 + 1e-6) + 2 < static_cast<double>(features_.max_cost->value());
    s.dear = features_.max_cost &&
             cost * (1 - 1e-6) - 2 > static_cast<double>(features_.max_cost->value());
  }

  bool Meets(const Sight& s, double sign) const {
    const auto within = [sign](double found, double limit) {
      return found <= limit * (1 + sign * 1e-6) + sign * 1e-8;
    };
    const SpillSpec& spill = world_.policy.spill;
    const bool waits = spill.rule == SpillRule::kAtOnce ? !s.queues
                       : spill.rule == SpillRule::kPatience
                           ? within(s.wait_p90, absl::ToDoubleSeconds(spill.patience))
                           : within(s.wait_p90, spill.request_wait * ttft_);
    return waits && within(s.ttft_p90, ttft_) && within(s.tpot_p90, tpot_);
  }

  const RouterWorld& world_;
  const RequestFeatures& features_;
  AskedTokens Asked(double prompt, double output) const {
    return {.prompt = static_cast<std::int64_t>(std::max(prompt, 1.0)),
            .output = static_cast<std::int64_t>(output),
            .prompts = features_.prompts,
            .longest_prompt = static_cast<std::int64_t>(longest_)};
  }
  double prompt_ = 1, longest_ = 1, output_ = 1, ttft_ = 3, tpot_ = 0.2;
  std::map<std::string, bool> panic_;
  std::set<std::uint32_t> able_;
  std::map<std::uint32_t, std::vector<Sight>> sights_;
};

class RouterLaws : public testing::TestWithParam<std::uint32_t> {};

// One request in one world, and where it goes.
struct Case {
  Case(Dice& dice, const RouterWorld& world, std::shared_ptr<const RouterView> v, Router& router)
      : view(std::move(v)) {
    do {
      request.features = RandomRequest(dice);
    } while (view->FindModel(request.features.models[0]) < 0);
    request.view = view->id();
    request.draw = static_cast<std::uint64_t>(dice.Roll(0, 1'000'000));
    shape = MakeRequestShape(*view, request.features);
    std::map<EndpointKey, EndpointLoad> loads;
    for (const std::uint32_t place : shape.endpoints) {
      const EndpointLoad load = RandomLoad(dice);
      request.readings.push_back({place, load});
      loads[view->endpoints()[place].key] = load;
    }
    plan = router.Choose(*view, shape, request.features, request.readings, request.draw);
    request.order = plan.order;
    request.code = plan.code;
    oracle.emplace(world, request.features, loads);
  }
  EndpointKey KeyAt(std::size_t i) const { return view->endpoints()[plan.order[i]].key; }

  std::shared_ptr<const RouterView> view;
  Request request;
  RequestShape shape;
  RoutePlan plan;
  std::optional<Oracle> oracle;
};

constexpr int kRequests = 60;

template <class Check>
int ForEachCase(std::uint32_t seed, Check check) {
  Dice dice(seed);
  Router router;  // one for all, as threads keep theirs
  int routed = 0;
  for (int worlds = 0; worlds < 4; ++worlds) {
    const RouterWorld world = RandomWorld(dice);
    const auto view = world.View();
    const bool any = std::any_of(kModels.begin(), kModels.end(),
                                 [&](const auto& m) { return view->FindModel(m) >= 0; });
    for (int i = 0; any && i < kRequests / 4; ++i) {
      const Case c(dice, world, view, router);
      routed += c.plan.outcome == Routed::kRouted;
      check(world, c);
      if (testing::Test::HasFailure()) return routed;
    }
  }
  return routed;
}

TEST_P(RouterLaws, AbleIsWhatTheOracleCallsAble) {
  ForEachCase(GetParam(), [](const RouterWorld& world, const Case& c) {
    std::set<std::uint32_t> asked;
    for (const std::uint32_t place : c.shape.endpoints) {
      const EndpointKey key = c.view->endpoints()[place].key;
      EXPECT_NE(c.oracle->Find(key), nullptr) << c.view->endpoints()[place].name;
      asked.insert(Index(key.pool));
    }
    for (std::uint32_t p = 0; p < world.inputs.pools.size(); ++p)
      EXPECT_EQ(asked.contains(p), c.oracle->Able(p)) << "pool " << p;
  });
}

// Claim law and idle law: no pool that stands before the chosen one could have taken it in time.
TEST_P(RouterLaws, NoEarlierPoolIsSkippedThatCouldTakeItInTime) {
  const int routed = ForEachCase(GetParam(), [](const RouterWorld& world, const Case& c) {
    if (c.plan.outcome != Routed::kRouted) return;
    const std::uint32_t chosen = Index(c.KeyAt(0).pool);
    const Decision decision = ExplainRequest(*c.view, c.request);
    EXPECT_EQ(decision.chosen, PoolId{chosen});
    const Oracle::Sight* at = c.oracle->Find(c.KeyAt(0));
    ASSERT_NE(at, nullptr);
    for (std::uint32_t q = 0; q < world.inputs.pools.size(); ++q) {
      if (q == chosen || !c.oracle->Able(q)) continue;
      for (const Oracle::Sight& s : c.oracle->On(q)) {
        if (!s.open() || !s.affordable || !c.oracle->InTime(s)) continue;
        EXPECT_FALSE(c.oracle->Before(q, chosen)) << q << " stands before " << chosen;
        EXPECT_FALSE(c.oracle->Late(*at)) << "late on " << chosen << ", in time on " << q;
      }
      if (!c.oracle->Before(q, chosen)) continue;
      const Code code = decision.candidates[q].code();
      EXPECT_TRUE(IsCannot(code) || IsUnavailable(code) || code == Code::kTooDear ||
                  code == Code::kTooLate)
          << NameOf(code);
    }
  });
  EXPECT_GT(routed, 5) << "the worlds are too hard to say anything";
}

TEST_P(RouterLaws, WhoIsTriedCanTakeItAndIsTriedOnce) {
  ForEachCase(GetParam(), [](const RouterWorld&, const Case& c) {
    EXPECT_LE(c.plan.order.size(), Router::kMostTries);
    std::set<std::uint32_t> distinct(c.plan.order.begin(), c.plan.order.end());
    EXPECT_EQ(distinct.size(), c.plan.order.size());
    bool late = false;
    for (std::size_t i = 0; i < c.plan.order.size(); ++i) {
      const Oracle::Sight* s = c.oracle->Find(c.KeyAt(i));
      ASSERT_NE(s, nullptr) << "a try that is not able";
      EXPECT_TRUE(s->holds) << "too long for it";
      EXPECT_TRUE(s->room) << "full";
      EXPECT_FALSE(s->dear) << "for more than it may cost, or for a price that nobody knows";
      const bool in_time = c.oracle->InTime(*s);
      EXPECT_FALSE(late && in_time && s->affordable) << "in time stands behind late";
      late |= c.oracle->Late(*s);
    }
  });
}

TEST_P(RouterLaws, NobodyInTimeMeansTheSoonestFirstToken) {
  ForEachCase(GetParam(), [](const RouterWorld&, const Case& c) {
    if (c.plan.outcome != Routed::kRouted) return;
    const Oracle::Sight& at = *c.oracle->Find(c.KeyAt(0));
    if (!c.oracle->Late(at)) return;
    for (const RequestShape::OnPool& pool : c.shape.pools) {
      if (!pool.codes.empty()) continue;
      for (const std::uint32_t place : pool.endpoints) {
        const Oracle::Sight& other = *c.oracle->Find(c.view->endpoints()[place].key);
        if (!other.open() || !other.affordable) continue;
        EXPECT_LE(at.ttft_p90, other.ttft_p90 * (1 + 1e-6) + 1e-8);
      }
    }
  });
}

TEST_P(RouterLaws, OnlyWhoFindsNobodyWaitsOrIsRefused) {
  ForEachCase(GetParam(), [](const RouterWorld& world, const Case& c) {
    bool takes = false, full = false;
    for (std::uint32_t p = 0; p < world.inputs.pools.size(); ++p) {
      if (!c.oracle->Able(p)) continue;
      for (const Oracle::Sight& s : c.oracle->On(p)) {
        takes |= s.open() && s.affordable;
        full |= s.holds && !s.room;
      }
    }
    const bool routed = c.plan.outcome == Routed::kRouted;
    EXPECT_TRUE(routed || !takes) << "somebody would have taken it";
    EXPECT_TRUE(full || c.plan.outcome != Routed::kFull) << "waits though nobody is full";
    EXPECT_EQ(c.plan.order.empty(), !routed);
  });
}

TEST_P(RouterLaws, TheBackstopIsLastWhateverItCosts) {
  ForEachCase(GetParam(), [](const RouterWorld& world, const Case& c) {
    if (!world.policy.claim.backstop) return;
    bool seen = false;
    for (const RoutedPool& pool : c.plan.pools) {
      const bool nvidia = c.view->pools()[pool.pool].spec->vendor == "nvidia";
      EXPECT_EQ(pool.backstop, nvidia);
      EXPECT_FALSE(seen && !nvidia) << "something stands behind the backstop";
      seen |= nvidia;
    }
  });
}

TEST_P(RouterLaws, TheSameInputsGiveTheSameRoute) {
  ForEachCase(GetParam(), [](const RouterWorld& world, const Case& c) {
    const auto other_view = world.View();
    EXPECT_TRUE(SameRoute(*c.view, c.request));
    EXPECT_TRUE(SameRoute(*other_view, c.request));
    const Decision a = ExplainRequest(*c.view, c.request);
    const Decision b = ExplainRequest(*other_view, c.request);
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.outcome == Outcome::kPlaced, c.plan.outcome == Routed::kRouted);
    EXPECT_EQ(a.candidates.size(), world.inputs.pools.size());
    for (const Candidate& candidate : a.candidates) EXPECT_FALSE(candidate.codes.empty());
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, RouterLaws, testing::Range(1u, 41u));

}  // namespace
}  // namespace spillway
