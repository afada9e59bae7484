#include "adapters/modelled/modelled_adapter.h"

#include "gmock/gmock.h"
#include "tests/adapters/fake_host.h"

namespace spillway {
namespace {

LaunchOrder OrderOf(PoolId pool, absl::Duration duration) {
  FakeHost host;
  ListSink sink;
  ModelledAdapter adapter(host, sink);
  PoolSpec spec;
  spec.name = "a10";
  spec.adapter.max_commands = 3;
  adapter.AddPool(pool, spec);
  auto work = std::make_shared<Work>();
  work->run.command = {"x"};
  work->needs.cpus = MilliCpus(64'000);
  adapter.Launch({.key = {JobId(1), 1},
                  .pool = pool,
                  .work = work,
                  .nodes = {{0, {0}}},
                  .modelled_duration = duration});
  EXPECT_THAT(host.launched, testing::SizeIs(1));
  return host.launched.at(0);
}

TEST(ModelledAdapter, HoldsAsLongAsTheModelSays) {
  EXPECT_EQ(OrderOf(PoolId(2), absl::Seconds(90)).hold, absl::Seconds(90));
}

TEST(ModelledAdapter, CommandsOfOnePoolTakeTurnsAndStandBack) {
  const LaunchOrder order = OrderOf(PoolId(2), {});
  EXPECT_EQ(order.turn_limit, 3);
  EXPECT_NE(order.turn_group, OrderOf(PoolId(5), {}).turn_group);
  EXPECT_GT(order.niceness, 0);
}

TEST(ModelledAdapter, CpusOfThePretendedNodeAreNotTakenHere) {
  EXPECT_EQ(OrderOf(PoolId(2), {}).cpus, MilliCpus(0));
}

}  // namespace
}  // namespace spillway
