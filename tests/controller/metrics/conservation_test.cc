// What work cost is said in five places: in what became of each piece of work, in the ledger, in
// the counters of /metrics, in the rows of a bill (FOCUS), and in the budgets of tenants. Whatever
// happens, they are one figure.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "controller/metrics/record_counters.h"
#include "formats/focus_csv.h"
#include "formats/units.h"
#include "scheduler/books.h"
#include "scheduler/budgets.h"
#include "tests/support/router_world.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Hours;
using absl::Seconds;
using fixtures::World;
using record::Category;

struct Matter {
  Usd cost;
  Joules energy;
  GramsCo2e carbon;
  friend bool operator==(const Matter&, const Matter&) = default;
  Matter& operator+=(const Matter& m) {
    cost += m.cost;
    energy += m.energy;
    carbon += m.carbon;
    return *this;
  }
};
std::ostream& operator<<(std::ostream& out, const Matter& m) {
  return out << m.cost.value() << " n$, " << m.energy.value() << " uJ, " << m.carbon.value()
             << " ug";
}

// Work and time by chance: streams and whole answers, some broken off, some left by their clients,
// some answered by the second engine, some by none; jobs that succeed, fail, are lost, are
// cancelled and tried again; prices and carbon intensities that change; restarts.
class Past {
 public:
  explicit Past(std::uint32_t seed) : dice_(seed), world_(MakeConfig()) {
    world_.fate = [this](const command::Launch&) {
      const int what = Roll(20);
      fixtures::Fate fate{Seconds(1 + Roll(4000))};
      if (what < 3) fate.fault = Fault::kInfrastructure;
      if (what == 3) fate.fault = Fault::kOwn;
      if (what < 8) fate.metered = Joules(1 + Roll(2'000'000'000));
      return fate;
    };
    LookAtEngines();
  }

  // `pieces` of work, then the end of all of it and of the hour.
  void Live(int pieces) {
    while (pieces_ < pieces) {
      Requests(1 + Roll(80));
      for (int n = Roll(8); n > 0; --n) Job();
      if (Roll(40) == 0) ChangePrice();
      if (Roll(40) == 0) ChangeCarbon();
      if (Roll(100) == 0) Restart();
      world_.RunFor(absl::Milliseconds(Roll(60'000)));
      Count();
    }
    world_.RunToEnd(Hours(24 * 100));
    ASSERT_EQ(world_.live(), 0u) << "what still runs is booked in part";
    world_.RunUntil(Books::HourOf(world_.Now()) + Hours(1));
    world_.Give(event::TimerFired{});
    Count();
  }

  const World& world() const { return world_; }
  const RecordCounters& counters() const { return *counters_; }
  Matter requests() const { return requests_; }
  Matter lost() const { return lost_; }  // of requests, on engines that were given up
  int pieces() const { return pieces_; }
  std::map<std::string, int> seen;  // what came to pass, so that nothing is tested in name only

 private:
  int Roll(int n) { return static_cast<int>(dice_() % static_cast<unsigned>(n)); }

  static Config MakeConfig() {
    PoolSpec token = fixtures::UrlPool("api", 2);
    token.billing = Billing::kToken;
    token.price = {.input = UsdPerMtoken(150'000'001), .output = UsdPerMtoken(600'000'007)};
    PoolSpec owned = fixtures::Committed(fixtures::EnginePool("owned", 2));
    owned.site = {.name = "lab", .carbon = GramsCo2ePerKwh(301)};
    owned.nodes = 5;  // two of them for engines
    PoolSpec rented = fixtures::NvidiaPool("rented", 1);
    rented.nodes = 6;
    Config config{.fleet = {{owned, rented, token}}, .policy = fixtures::BackstopPolicy()};
    config.tenants.tenants = {{.name = "blue"}, {.name = "red"}};
    return config;
  }

  void LookAtEngines() {
    const auto& pools = world_.config().fleet.pools;
    for (std::uint32_t p = 0; p < pools.size(); ++p) {
      for (int n = 0; n < EndpointsOf(pools[p]); ++n)
        world_.Give(event::EndpointSeen{{PoolId{p}, n}, true, {}});
    }
  }

  std::shared_ptr<const RouterView> View() {
    const auto inputs = world_.brain().router_inputs();
    if (!view_ || view_->id() != inputs->id) view_ = *RouterView::Make(inputs);
    return view_;
  }

  std::string Tenant() { return Roll(2) ? "blue" : "red"; }

  std::shared_ptr<const Request> OneRequest() {
    RequestFeatures features = fixtures::ChatRequest();
    features.arrived = world_.Now();
    features.tenant = Tenant();
    features.stream = Roll(2) > 0;
    fixtures::Routing routed(View(), features, {}, static_cast<std::uint64_t>(Roll(1000)));
    Request& r = routed.request;
    r.ended = world_.Now();
    const int what = Roll(20);
    if (r.order.empty() || what == 0) {
      r.end = RequestEnd::kRefused;
      ++seen["refused"];
      return std::make_shared<const Request>(r);
    }
    const auto key = [&](std::size_t i) { return View()->endpoints()[r.order[i]].key; };
    if (what == 1) {
      r.end = RequestEnd::kFailed;
      r.attempts = {{key(0), ForwardFault::kConnect}};
      ++seen["failed"];
      return std::make_shared<const Request>(r);
    }
    if (what < 4 && r.order.size() > 1) {
      // The first one worked on it for a while, or could not be reached at all.
      r.attempts = {{key(0), ForwardFault::kBroken}, {key(1), ForwardFault::kNone}};
      if (what == 2) {
        ForwardAttempt& given_up = r.attempts.front();
        given_up.held = absl::Nanoseconds(Roll(2'000'000'000));
        SettleLost(*View(), given_up);
        lost_ += {given_up.cost, given_up.energy, given_up.carbon};
        ++seen["lost"];
      }
      ++seen["failed over"];
    } else {
      r.attempts = {{key(0), ForwardFault::kNone}};
    }
    r.answered_by = "chat";
    r.end = what == 4   ? RequestEnd::kBrokenOff
            : what == 5 ? RequestEnd::kClientGone
                        : RequestEnd::kAnswered;
    ++seen[std::string(NameOf(r.end))];
    r.held = absl::Nanoseconds(Roll(2'000'000'000));
    if (what != 5) {
      r.prompt_tokens = Roll(1000);
      r.output_tokens = Roll(100);
    }
    SettleRequest(*routed.view, routed.shape, r);
    requests_ += {r.cost, r.energy, r.carbon};
    return std::make_shared<const Request>(r);
  }

  void Requests(int n) {
    event::RequestsEnded ended;
    for (; n > 0; --n) {
      ended.requests.push_back(OneRequest());
      ++pieces_;
    }
    world_.Give(ended);
  }

  void Job() {
    Work work = fixtures::JobNeedingDevices(1, "synapse");
    work.name = "";
    work.tenant = Tenant();
    work.retries.own = Roll(2);
    fixtures::Lasting(work, Seconds(1 + Roll(3000)));
    const Reply reply = world_.Submit(work);
    ++pieces_;
    ++seen["job"];
    if (Roll(12) != 0) return;
    world_.RunFor(Seconds(Roll(100)));
    world_.Give(event::CancelRequested{reply.job});
    ++seen["cancelled"];
  }

  void ChangePrice() {
    const PoolId pool{static_cast<std::uint32_t>(Roll(2))};
    world_.Give(event::PoolPriced{pool, {.node_hour = UsdPerHour(1 + Roll(2'000'000'000))}});
    ++seen["price"];
  }
  void ChangeCarbon() {
    world_.Give(event::CarbonSeen{"lab", GramsCo2ePerKwh(Roll(900)), world_.Now()});
    ++seen["carbon"];
  }

  // The controller goes, and another takes over: its counters begin with what the ledger holds.
  void Restart() {
    Count();
    world_.Restart();
    counters_ = std::make_unique<RecordCounters>();
    for (const auto& [id, row] : world_.pools) counters_->Count(row);
    for (const auto& [key, row] : world_.ledger) counters_->Count(row);
    counted_ = world_.records.size();
    LookAtEngines();
    ++seen["restart"];
  }

  void Count() {
    for (; counted_ < world_.records.size(); ++counted_) {
      const Record& record = world_.records[counted_];
      if (const auto* row = std::get_if<record::LedgerRow>(&record)) counters_->Count(*row);
      if (const auto* row = std::get_if<record::PoolRow>(&record)) counters_->Count(*row);
    }
    // They are kept by key elsewhere.
    world_.records.clear();
    counted_ = 0;
  }

  std::mt19937 dice_;
  World world_;
  std::unique_ptr<RecordCounters> counters_ = std::make_unique<RecordCounters>();
  std::size_t counted_ = 0;
  std::shared_ptr<const RouterView> view_;
  Matter requests_, lost_;
  int pieces_ = 0;
};

Matter LedgerOf(const World& world, Category category) {
  Matter sum;
  for (const auto& [key, row] : world.ledger) {
    if (row.category == category) sum += {row.cost, row.energy, row.carbon};
  }
  return sum;
}

// Nano-dollars of a decimal with nine places.
std::int64_t Nanos(std::string text) {
  const bool negative = text.starts_with('-');
  const std::size_t dot = text.find('.');
  EXPECT_EQ(text.size() - dot - 1, 9u) << text;
  text.erase(dot, 1);
  std::int64_t nanos = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text.substr(negative ? 1 : 0), &nanos)) << text;
  return negative ? -nanos : nanos;
}

// BilledCost by x_Category, read as CSV is.
std::map<std::string, std::int64_t> FocusOf(const World& world) {
  std::string csv;
  AppendFocusHeader(csv);
  for (const auto& [key, row] : world.ledger)
    AppendFocusRow(csv, row, world.pools.at(row.pool).spec.get());
  std::map<std::string, std::int64_t> sums;
  std::vector<std::vector<std::string>> lines(1, std::vector<std::string>(1));
  bool quoted = false;
  for (const char c : csv) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      lines.back().emplace_back();
    } else if (!quoted && c == '\n') {
      lines.emplace_back(1);
    } else if (c != '\r') {
      lines.back().back() += c;
    }
  }
  lines.pop_back();
  const std::vector<std::string>& head = lines.front();
  const auto place = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(head.begin(), head.end(), name) - head.begin());
  };
  const std::size_t cost = place("BilledCost"), category = place("x_Category");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].size(), head.size());
    sums[lines[i][category]] += Nanos(lines[i][cost]);
  }
  return sums;
}

class Conservation : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Conservation, LedgerDecisionsCountersBillAndBudgetsAreOneFigure) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  Past past(GetParam());
  past.Live(25'000);
  for (const char* what : {"refused", "failed", "failed over", "lost", "answered", "broken_off",
                           "client_gone", "job", "cancelled", "price", "carbon", "restart"})
    EXPECT_GT(past.seen[what], 0) << what << " never happened: the test tests less than it says";
  const World& world = past.world();

  // What became of each piece of work.
  Matter work = past.requests(), lost = past.lost();
  for (const auto& [id, job] : world.jobs) {
    work.cost += job.cost;
    lost.cost += job.overhead_cost;
    for (const Attempt& a : job.attempts) {
      Matter& into = a.fault == Fault::kInfrastructure ? lost : work;
      into.energy += a.energy;
      into.carbon += a.carbon;
    }
  }
  EXPECT_GT(past.lost().cost, Usd(0));
  EXPECT_GT(lost.cost, past.lost().cost);
  const Matter booked = LedgerOf(world, Category::kWork);
  EXPECT_EQ(booked, work);
  EXPECT_EQ(LedgerOf(world, Category::kOverhead), lost);

  // The counters: integers inside, doubles at the door.
  std::map<Category, Usd> counted;
  for (const auto& [key, money] : past.counters().costs().money())
    counted[std::get<Category>(key)] += money.cost;
  Joules energy;
  for (const auto& [pool, matter] : past.counters().costs().matter()) energy += matter.energy;
  std::map<Category, Usd> ledger;
  Joules all_energy;
  for (const Category c : {Category::kWork, Category::kIdle, Category::kOverhead}) {
    ledger[c] = LedgerOf(world, c).cost;
    all_energy += LedgerOf(world, c).energy;
  }
  EXPECT_EQ(counted, ledger);
  EXPECT_EQ(energy, all_energy);

  // The bill.
  const auto focus = FocusOf(world);
  for (const Category c : {Category::kWork, Category::kIdle, Category::kOverhead})
    EXPECT_EQ(focus.at(std::string(NameOf(c))), ledger[c].value()) << NameOf(c);

  // The budgets.
  for (const std::string tenant : {"blue", "red"}) {
    for (const BudgetPeriod period : {BudgetPeriod::kDay, BudgetPeriod::kMonth}) {
      const record::BudgetRow& row = world.budgets.at({tenant, period});
      Usd spent;
      for (const auto& [key, of] : world.ledger) {
        if (of.category == Category::kWork && of.tenant == tenant &&
            StartOf(period, of.hour) == row.since)
          spent += of.cost;
      }
      EXPECT_EQ(row.spent, spent) << tenant << " " << NameOf(period);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Conservation, testing::Range(1u, 5u));

// What /metrics prints reads back as the ledger's integer within one unit in the last place.
TEST(ConservationOfDoubles, ACounterIsTheIntegerToOneUlp) {
  std::mt19937_64 dice(7);
  for (int i = 0; i < 100'000; ++i) {
    const auto nanos = static_cast<std::int64_t>(dice() >> (1 + dice() % 60));
    const double shown = static_cast<double>(nanos) / kNanosPerUsd;
    const double exact = static_cast<double>(static_cast<long double>(nanos) / 1e9L);
    EXPECT_LE(std::abs(shown - exact), std::nextafter(exact, INFINITY) - exact) << nanos;
  }
}

// The same usage and timings are the same money, whether the answer came in one piece or in many.
TEST(Settling, StreamedOrNotIsTheSameMoney) {
  std::mt19937 dice(3);
  const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  PoolSpec token = fixtures::UrlPool("api", 1);
  token.billing = Billing::kToken;
  token.price = {.input = UsdPerMtoken(150'000'001), .output = UsdPerMtoken(600'000'007)};
  const auto view = fixtures::RouterWorld({fixtures::EnginePool("a", 2), token}).View();
  for (int i = 0; i < 2000; ++i) {
    Request whole;
    whole.features = fixtures::ChatRequest();
    whole.features.stream = false;
    const RequestShape shape = MakeRequestShape(*view, whole.features);
    whole.readings = fixtures::ReadingsOf(*view, shape, {});
    whole.attempts = {{view->endpoints()[shape.endpoints[static_cast<std::size_t>(roll(3))]].key}};
    whole.answered_by = "chat";
    whole.held = absl::Nanoseconds(roll(2'000'000'000));
    whole.prompt_tokens = roll(2000);
    whole.output_tokens = roll(101);
    Request streamed = whole;
    streamed.features.stream = true;
    streamed.ttft = absl::Milliseconds(roll(1000));
    streamed.tpot = absl::Milliseconds(roll(100));
    SettleRequest(*view, shape, whole);
    SettleRequest(*view, shape, streamed);
    ASSERT_EQ(whole.cost, streamed.cost);
    ASSERT_EQ(whole.marginal_cost, streamed.marginal_cost);
    ASSERT_EQ(whole.baseline_cost, streamed.baseline_cost);
    ASSERT_EQ(whole.energy, streamed.energy);
    ASSERT_EQ(whole.carbon, streamed.carbon);
    ASSERT_GT(whole.cost + Usd(whole.held == absl::ZeroDuration()), Usd(0));
  }
}

}  // namespace
}  // namespace spillway
