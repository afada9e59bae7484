// Clients that read slowly, or leave, in front of a whole router with engines behind it.
#include <atomic>
#include <future>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/northbound/relay_rig.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

std::string Request(const std::string& more) {
  const std::string body =
      absl::StrCat(R"({"model":"big","messages":[{"role":"user","content":"hello"}])", more, "}");
  return absl::StrCat(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: ",
      body.size(), "\r\n\r\n", body);
}

class LeavingClients : public testing::Test {
 protected:
  // An engine that says nothing; `began` when it was asked, gone_ when its client has left.
  void ThinkUntilItLeaves(std::promise<void>& began) {
    rig_.big.Produce([this, &began](BodyStream& out) -> Awaitable<void> {
      out.OnGone([this] { gone_.set_value(); });
      began.set_value();
      for (Woken woken = Woken::kTimeout; woken != Woken::kGone;)
        woken = co_await out.Wait(absl::Milliseconds(50));
    });
  }
  void SetUp() override { rig_.Publish(); }

  // The engine sends events of 32 KiB until somebody stops it, or `most` of them.
  void SendEvents(int most) {
    const std::string event = absl::StrCat(R"(data: {"choices":[{"delta":{"content":")",
                                           std::string(32 << 10, 'x'), R"("}}]})", "\n\n");
    rig_.big.Produce([this, event, most](BodyStream& out) -> Awaitable<void> {
      for (bool sent = true; sent && sent_ < most;) {
        sent = co_await out.Write(event);
        if (sent) ++sent_;
      }
      if (sent_ < most) {
        gone_.set_value();
        co_return;
      }
      const bool last = co_await out.Write("data: [DONE]\n\n");
      EXPECT_TRUE(last);
    });
  }
  // Until the engine has sent nothing for a while.
  int SentUntilStill() {
    int last = -1;
    for (int still = 0; still < 20; absl::SleepFor(absl::Milliseconds(10))) {
      still = sent_ == last ? still + 1 : 0;
      last = sent_;
    }
    return last;
  }

  RelayRig rig_;
  std::atomic<int> sent_{0};
  std::promise<void> gone_;
};

// 64 MiB are to be sent. What is on the way fills the kernel's buffers of two connections (a few
// MiB each at most) and nothing else.
TEST_F(LeavingClients, AClientThatDoesNotReadStopsTheEngine) {
  constexpr int kEvents = 2048;
  SendEvents(kEvents);
  RawClient client(rig_.port(), /*small=*/true);
  ASSERT_TRUE(client.Send(Request(R"(,"stream":true)")));
  const std::string head = client.Until("\r\n\r\n");
  EXPECT_THAT(head, testing::HasSubstr("200 OK"));
  const int sent = SentUntilStill();
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, kEvents / 4) << "32 KiB each are held for a client that reads nothing";
  RecordProperty("KiB_on_the_way", sent * 32);
  std::cout << "on the way: " << sent * 32 << " KiB\n";

  // It reads on, and everything comes.
  std::size_t read = 0;
  std::string tail;
  while (!tail.ends_with("0\r\n\r\n")) {
    const std::string some = client.Some();
    ASSERT_FALSE(some.empty()) << read;
    read += some.size();
    tail = (tail + some)
               .substr(tail.size() + some.size() -
                       std::min<std::size_t>(tail.size() + some.size(), 64));
  }
  EXPECT_THAT(tail, testing::HasSubstr("data: [DONE]\n\n"));
  EXPECT_GT(read, std::size_t{kEvents} * (32 << 10));
  EXPECT_EQ(sent_, kEvents);
}

// The order of things: the engine hears of it while the client's request is all that there is.
TEST_F(LeavingClients, AClientThatLeavesWithinAStreamIsGoneForTheEngineToo) {
  SendEvents(1 << 30);
  RawClient client(rig_.port(), /*small=*/true);
  ASSERT_TRUE(client.Send(Request(R"(,"stream":true)")));
  const std::string head = client.Until("\r\n\r\n");
  std::future<void> gone = gone_.get_future();
  EXPECT_EQ(gone.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  client.Close();
  EXPECT_EQ(gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const Value record = rig_.Record("req-1-000001");
  ASSERT_TRUE(record.is_map());
  EXPECT_EQ(record.Find("end")->text(), "client_gone");
  EXPECT_NE(record.Find("cost_usd")->text(), "0.000000000");
}

// Many read no further than [DONE], whether the engine has ended its stream or not.
TEST_F(LeavingClients, AClientThatLeavesBehindDoneHasItsAnswer) {
  rig_.Publish();
  rig_.big.Produce([this](BodyStream& out) -> Awaitable<void> {
    const bool sent = co_await out.Write(
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n");
    EXPECT_TRUE(sent);
    while (!out.gone()) co_await out.Wait(absl::InfiniteDuration());
    gone_.set_value();
  });
  RawClient client(rig_.port());
  ASSERT_TRUE(client.Send(Request(R"(,"stream":true)")));
  client.Until("data: [DONE]\n\n");
  client.Close();
  EXPECT_EQ(gone_.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const Value record = rig_.Record("req-1-000001");
  ASSERT_TRUE(record.is_map());
  EXPECT_EQ(record.Find("end")->string(), "answered");
}

// An engine that thinks: nothing has come yet when its client leaves.
TEST_F(LeavingClients, AClientThatLeavesBeforeTheFirstByteIsBookedWithoutABaseline) {
  std::promise<void> began;
  ThinkUntilItLeaves(began);
  RawClient client(rig_.port());
  ASSERT_TRUE(client.Send(Request(R"(,"stream":true)")));
  began.get_future().wait();
  client.Close();
  EXPECT_EQ(gone_.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const Value record = rig_.Record("req-1-000001");
  ASSERT_TRUE(record.is_map());
  EXPECT_EQ(record.Find("end")->text(), "client_gone");
  EXPECT_EQ(record.Find("attempts")->list()[0].Find("fault")->text(), "none")
      << "it is not the engine's fault";
  EXPECT_TRUE(record.Find("baseline_cost_usd")->is_null());
}

// Nobody was there to be refused.
TEST_F(LeavingClients, AClientThatLeavesWhileItWaitsForRoomIsGone) {
  Dispatcher& dispatcher = *rig_.api().api().dispatcher();
  dispatcher.OnSigns({PoolId{1}, 0}, {.running = 100'000, .waiting = 0});  // others fill it
  RawClient client(rig_.port());
  ASSERT_TRUE(client.Send(Request("")));
  for (int i = 0; i < 5000 && dispatcher.waiting() == 0; ++i) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_EQ(dispatcher.waiting(), 1u);
  client.Close();
  const Value record = rig_.Record("req-1-000001");
  ASSERT_TRUE(record.is_map());
  EXPECT_EQ(record.Find("end")->text(), "client_gone");
  EXPECT_EQ(dispatcher.waiting(), 0u);
}

// Else a tenant without a dollar left could have prompts read for nothing.
TEST_F(LeavingClients, AClientThatLeavesBeforeTheFirstBytePaysFromItsBudget) {
  rig_.world().tenants.tenants = {
      {.name = "default", .quota = {.usd_per_day = Usd(300'000)}}};  // 0.0003 USD
  rig_.Publish();
  std::promise<void> began;
  ThinkUntilItLeaves(began);
  const std::string more = R"(,"stream":true,"max_tokens":10)";  // 0.0002 USD
  RawClient client(rig_.port());
  ASSERT_TRUE(client.Send(Request(more)));
  began.get_future().wait();
  client.Close();
  EXPECT_EQ(gone_.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const Value record = rig_.Record("req-1-000001");
  ASSERT_TRUE(record.is_map());
  EXPECT_NE(record.Find("cost_usd")->text(), "0.000000000");
  const Received answer = rig_.Ask(
      absl::StrCat(R"({"model":"big","messages":[{"role":"user","content":"hello"}])", more, "}"));
  EXPECT_EQ(answer.status, 429) << answer.body;
}

TEST_F(LeavingClients, ABudgetSetsAsideTheMostThatARequestMayCost) {
  rig_.world().tenants.tenants = {{.name = "default", .quota = {.usd_per_day = Usd(300'000)}}};
  rig_.Publish();
  const std::string chat = R"({"model":"big","messages":[{"role":"user","content":"hello"}],)";
  rig_.big.Say({{.body = R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}})"}});
  EXPECT_EQ(rig_.Ask(absl::StrCat(chat, R"("max_tokens":100})")).status, 429);  // 0.0011 USD
  EXPECT_EQ(rig_.Ask(absl::StrCat(chat, R"("max_tokens":10})")).status, 200);
}

// Whoever finds out that the money will not do: the router, before or behind it. More comes with
// the next day, so that trying again within minutes is of no use.
TEST_F(LeavingClients, WhoHasTooLittleMoneyLearnsWhenThereIsMore) {
  const TenantSpec refuses{.name = "default", .quota = {.usd_per_day = Usd(300'000)}};
  TenantSpec demotes{.name = "default"};
  demotes.budget = {.per_day = Usd(0),
                    .per_month = Usd(1'000'000'000),
                    .when_spent = WhenSpent::kDemote,
                    .demote_to = PoolSelector{.name = {"nowhere"}}};
  const absl::Time now = rig_.api().rig().clock().Now();
  for (const TenantSpec& tenant : {refuses, demotes}) {
    rig_.world().tenants.tenants = {tenant};
    rig_.Publish();
    const Received answer = rig_.Ask(
        R"({"model":"big","messages":[{"role":"user","content":"hello"}],"max_tokens":100})");
    EXPECT_EQ(answer.status, 429) << answer.body;
    EXPECT_THAT(answer.body, testing::HasSubstr("insufficient_quota"));
    EXPECT_EQ(answer.headers.Get("x-should-retry"), "false");
    EXPECT_EQ(answer.headers.Get("Retry-After"),
              absl::StrCat(absl::ToInt64Seconds(EndOf(BudgetPeriod::kDay, now) - now)));
  }
}

// A pool is configured, and its engine's address is not known yet.
TEST_F(LeavingClients, AnEngineWithoutAnAddressIsLostInSoManyWords) {
  PoolSpec pool = fixtures::UrlPool("later", 1, {"later"});
  rig_.world().Add(std::move(pool));
  rig_.Publish();
  const Received answer =
      rig_.Ask(R"({"model":"later","messages":[{"role":"user","content":"hello"}]})");
  EXPECT_EQ(answer.status, 502);
  EXPECT_THAT(answer.body, testing::HasSubstr("the engine was lost: none of them can be reached"));
}

}  // namespace
}  // namespace spillway
