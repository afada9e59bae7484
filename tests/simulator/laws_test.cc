// What holds in every run, whatever comes: nobody knows how long an answer will be, joules and
// dollars are those of the nodes, people who wait for answers ask as fast as they are answered, and
// a fleet that is nearly full says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/file_text.h"
#include "simulator/workloads/workload.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::HasSubstr;

CellOutcome RunWith(ArrivalStream& stream, std::shared_ptr<Config> config,
                    const ScenarioSpec& scenario,
                    std::function<void(const Request&)> on_request = nullptr) {
  auto outcome = RunCell({.config = std::move(config),
                          .scenario = &scenario,
                          .arrivals = &stream,
                          .on_request = std::move(on_request)});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}

// ---- The true length of an answer

// All that went into the decision about a request, and what came of it.
struct Decided {
  absl::Time arrived, ended;
  std::vector<std::uint32_t> order;
  std::vector<EndpointReading> readings;
  RequestEnd end = RequestEnd::kAnswered;
  std::string answered_by;
  std::optional<Estimate> expected;
};
std::map<RequestId, Decided> DecisionsOf(const std::vector<Arrival>& arrivals,
                                         const std::string& policy) {
  std::map<RequestId, Decided> all;
  ListedArrivals stream(arrivals);
  RunWith(stream, ConfigOf(absl::StrCat(kTwoPools, "---\n", policy)), PlainScenario(),
          [&](const Request& r) {
            all[r.id] = {r.features.arrived, r.ended,   r.order, r.readings, r.end,
                         r.answered_by,      r.expected};
          });
  return all;
}

// The lengths of all answers from the k-th request on change places. Until the first of them is
// over in either world, both worlds are the same: who arrives then is decided alike.
class NoOracle : public testing::TestWithParam<const char*> {};

TEST_P(NoOracle, LengthsOfLaterAnswersDecideNothingBeforeTheyAreOver) {
  const auto policy =
      ReadTextFile(absl::StrCat(SPILLWAY_SOURCE_DIR "/configs/policies/", GetParam(), ".yaml"));
  ASSERT_TRUE(policy.ok()) << policy.status();
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    constexpr std::size_t kSame = 150;
    std::vector<Arrival> arrivals = PoissonChats(300, 6, 400, 200, seed);
    const auto before = DecisionsOf(arrivals, *policy);
    for (std::size_t i = kSame, j = arrivals.size() - 1; i < j; ++i, --j)
      std::swap(arrivals[i].truth.output_tokens, arrivals[j].truth.output_tokens);
    const auto after = DecisionsOf(arrivals, *policy);
    ASSERT_EQ(before.size(), 300u);
    absl::Time parted = absl::InfiniteFuture();
    for (std::size_t i = 0; const auto& [id, request] : before) {
      if (i++ < kSame) continue;
      parted = std::min({parted, request.ended, after.at(id).ended});
    }
    int later = 0;
    for (std::size_t i = 0; const auto& [id, was] : before) {
      if (was.arrived >= parted) break;
      const Decided& is = after.at(id);
      EXPECT_EQ(was.order, is.order) << i;
      EXPECT_EQ(was.readings, is.readings) << i;
      EXPECT_EQ(was.expected, is.expected) << i;
      EXPECT_EQ(was.answered_by, is.answered_by) << i;
      later += i++ >= kSame;
    }
    EXPECT_GT(later, 0) << "nobody came between: the test says nothing";
  }
}
INSTANTIATE_TEST_SUITE_P(Policies, NoOracle,
                         testing::Values("backstop", "at-once", "least-cost", "least-latency",
                                         "least-energy", "least-loaded", "round-robin", "random",
                                         "patience", "earliest-deadline"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// ---- Energy

// Idle watts of every node for the whole span, and what each request drew above them on each engine
// that worked for it.
TEST(Energy, OfAPoolIsItsIdleWattsAndWhatItsRequestsDrew) {
  for (const bool failures : {false, true}) {
    const auto config = ConfigOf(kTwoPools);
    config->fleet.pools[0].power = {.idle = Watts(26), .busy = Watts(101), .pue = 1.2};
    config->fleet.pools[1].power = {.idle = Watts(25), .busy = Watts(150), .pue = 1.5};
    ScenarioSpec scenario = PlainScenario();
    if (failures)
      scenario.world.failures = {.mtbf = absl::Seconds(40), .repair = absl::Seconds(20)};
    std::map<PoolId, Joules> drawn;
    ListedArrivals stream(PoissonChats(500, 4, 400, 150, 3));
    int given_up = 0;
    const CellOutcome cell = RunWith(stream, config, scenario, [&](const Request& request) {
      for (const ForwardAttempt& attempt : request.attempts) {
        drawn[attempt.endpoint.pool] += attempt.energy;
        given_up += attempt.held > absl::ZeroDuration();
      }
      drawn[request.endpoint().pool] += request.energy;
    });
    EXPECT_EQ(given_up > 0, failures);
    Joules sum;
    for (std::size_t p = 0; p < 2; ++p) {
      const PoolSpec& pool = config->fleet.pools[p];
      sum += cell.pools[p].energy;
      // Nodes that are down draw nothing that anybody here knows of: they are on the bill.
      const Joules at_node =
          pool.power.idle * (cell.span * pool.nodes) + drawn[PoolId{static_cast<std::uint32_t>(p)}];
      const auto wanted = static_cast<double>(Scale(at_node, pool.power.pue).value());
      EXPECT_NEAR(static_cast<double>(cell.pools[p].energy.value()), wanted, 1000)
          << pool.name << ", microjoules, rounded by row";
    }
    EXPECT_EQ(sum, cell.energy);
  }
}

// ---- People who wait for their answers

TEST(ClosedLoop, PeopleAskAsFastAsTheyAreAnsweredAndEverySessionIsAccountedFor) {
  const auto run = [](double speed) {
    PartSpec part;
    part.name = "people";
    part.arrivals =
        SessionsSpec{.users = 20, .think = absl::Seconds(2), .turns = 5, .context = 4000};
    part.lasts = absl::Minutes(10);
    part.request.models = {{"qwen2-1.5b", 1}};
    part.request.prompt_tokens = LengthSpec{.constant = 80};
    part.request.output_tokens = LengthSpec{.constant = 150};
    const auto workload = Workload::Load({"chats", {part}});
    EXPECT_TRUE(workload.ok()) << workload.status();
    const ScenarioSpec scenario = PlainScenario();
    const auto stream = workload->Open(scenario.start, 1);
    const auto config = A10sAlone();
    for (PoolSpec& pool : config->fleet.pools) pool.speed = speed;
    const CellOutcome cell = RunWith(*stream, config, scenario);
    EXPECT_EQ(cell.completed + cell.refused + cell.failed + cell.unfinished, cell.submitted);
    EXPECT_EQ(cell.unfinished, 0) << "the last questions are answered, too";
    return cell;
  };
  const CellOutcome fast = run(1), slow = run(0.25);
  EXPECT_GT(fast.submitted, 500);
  EXPECT_LT(slow.submitted, fast.submitted * 3 / 4) << "who waits longer asks less";
  // Twenty people at most are answered at once: N = X (R + Z), the law of interactive systems.
  for (const CellOutcome* cell : {&fast, &slow}) {
    const double rate = static_cast<double>(cell->completed) / 600;
    EXPECT_NEAR(rate * (cell->e2e.mean + 2), 20, 2);
  }
}

// ---- Fleets that are nearly full

TEST(Flags, EveryPoolAboveNineTenthsIsNamedAndNoOther) {
  bool some = false, none = false;
  for (const double rate : {0.5, 2.0, 4.0, 8.0, 16.0, 32.0}) {
    ListedArrivals stream(PoissonChats(static_cast<int>(rate * 120), rate, 400, 150, 5));
    const CellOutcome cell = RunWith(stream, ConfigOf(kTwoPools), PlainScenario());
    bool busy = false;
    for (const PoolOutcome& pool : cell.pools) {
      const bool is_busy = pool.utilization > 0.9;
      busy |= is_busy;
      const auto named = Contains(HasSubstr(absl::StrCat("pool ", pool.name, ": utilization")));
      if (is_busy) {
        EXPECT_THAT(cell.flags, named) << rate;
      } else {
        EXPECT_THAT(cell.flags, testing::Not(named)) << rate;
      }
    }
    if (busy) {
      EXPECT_NE(cell.label, LoadLabel::kStable) << rate;
    }
    some |= busy;
    none |= !busy;
  }
  EXPECT_TRUE(some && none);
}

}  // namespace
}  // namespace spillway
