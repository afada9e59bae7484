#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "controller/northbound/quota_answers.h"
#include "tests/controller/northbound/api_rig.h"
#include "tests/controller/northbound/some_keys.h"

namespace spillway {
namespace {

constexpr const char* kChat =
    R"({"model":"nothing","messages":[{"role":"user","content":"hello"}]})";

class QuotaApi : public testing::Test {
 protected:
  void SetUp() override {
    rig_.Start();
    const auto keys = SomeKeys();
    ASSERT_TRUE(keys.ok()) << keys.status();
    rig_.api().SetKeys(*keys);
  }
  // What the router goes by: no engines, and one tenant with a quota.
  void SetQuota(Quota quota) {
    auto inputs = std::make_shared<RouterInputs>();
    inputs->id = EventNumber{++version_};
    PolicySpec policy;
    inputs->policy = std::make_shared<const PolicySpec>(policy);
    TenantsSpec tenants;
    tenants.tenants.push_back({.name = "a", .quota = quota});
    inputs->tenants = std::make_shared<const TenantsSpec>(tenants);
    inputs->catalog = std::make_shared<const Catalog>();
    rig_.api().dispatcher()->Publish(std::move(inputs));
    ASSERT_NE(rig_.api().dispatcher()->view(), nullptr);
  }
  Received Chat(const std::string& key, const std::string& body = kChat) {
    return rig_.Post("/v1/chat/completions", body, {{"Authorization", "Bearer " + key}});
  }
  static std::string Code(const Received& received) {
    const Value* error = received.json.is_map() ? received.json.Find("error") : nullptr;
    const Value* code = error != nullptr ? error->Find("code") : nullptr;
    return code != nullptr && code->is_string() ? code->string() : "";
  }

  ApiRig rig_;
  std::uint64_t version_ = 1000;
};

TEST_F(QuotaApi, CountsDownAndThenRefuses) {
  SetQuota({.requests_per_minute = 3});
  for (int left = 2; left >= 0; --left) {
    const Received answer = Chat("submitter-of-a");
    EXPECT_EQ(answer.status, 404) << answer.body;
    EXPECT_EQ(answer.headers.Get("x-ratelimit-limit-requests"), "3");
    EXPECT_EQ(answer.headers.Get("x-ratelimit-remaining-requests"), absl::StrCat(left));
    EXPECT_THAT(std::string(answer.headers.Get("x-ratelimit-reset-requests")),
                testing::MatchesRegex("[0-9]+s|1m0s"));
    EXPECT_EQ(answer.headers.Find("Retry-After"), std::nullopt);
  }
  const Received refused = Chat("submitter-of-a");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(Code(refused), "rate_limit_exceeded");
  EXPECT_EQ(refused.json.Find("error")->Find("type")->string(), "rate_limit_error");
  EXPECT_EQ(refused.headers.Get("x-should-retry"), "true");
  EXPECT_EQ(refused.headers.Get("x-ratelimit-remaining-requests"), "0");
  const int wait = std::stoi(std::string(refused.headers.Get("Retry-After")));
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 60);
}

TEST_F(QuotaApi, IsTheTenantsWhateverTheKeyAndNobodyElses) {
  SetQuota({.requests_per_minute = 1});
  EXPECT_EQ(Chat("submitter-of-a").status, 404);
  EXPECT_EQ(Chat("submitter-of-a").status, 429);
  const Received other = Chat("submitter-of-b");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(other.headers.Find("x-ratelimit-limit-requests"), std::nullopt);
}

TEST_F(QuotaApi, ARequestThatCannotBeReadCounts) {
  SetQuota({.requests_per_minute = 2});
  EXPECT_EQ(Chat("submitter-of-a", "{").status, 400);
  EXPECT_EQ(Chat("submitter-of-a", "{").headers.Get("x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(Chat("submitter-of-a", "{").status, 429);
}

TEST_F(QuotaApi, FollowsTheConfiguration) {
  SetQuota({.requests_per_minute = 1});
  EXPECT_EQ(Chat("submitter-of-a").status, 404);
  EXPECT_EQ(Chat("submitter-of-a").status, 429);
  SetQuota({.requests_per_minute = 2});
  EXPECT_EQ(Chat("submitter-of-a").status, 404);
  EXPECT_EQ(Chat("submitter-of-a").status, 429);
  SetQuota({});
  EXPECT_EQ(Chat("submitter-of-a").status, 404);
}

TEST_F(QuotaApi, WhatIsOverGivesItsPlaceBack) {
  SetQuota({.concurrency = 1});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Chat("submitter-of-a").status, 404);
  const QuotaTicket held = rig_.api().quotas().Admit({.name = "a", .quota = {.concurrency = 1}},
                                                     rig_.host().clock().Now());
  EXPECT_EQ(held.over(), Over::kNone);
  const Received refused = Chat("submitter-of-a");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(Code(refused), "rate_limit_exceeded");
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
}

TEST_F(QuotaApi, WhoHasSpentHisDollarsNeedNotTryAgain) {
  SetQuota({.usd_per_day = Usd(kNanosPerUsd)});
  EXPECT_EQ(Chat("submitter-of-a").status, 404);
  rig_.api().quotas().Spent("a", BudgetPeriod::kDay, Usd(kNanosPerUsd), rig_.host().clock().Now());
  const Received refused = Chat("submitter-of-a");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(Code(refused), "insufficient_quota");
  EXPECT_EQ(refused.headers.Get("x-should-retry"), "false");
  EXPECT_GE(std::stoi(std::string(refused.headers.Get("Retry-After"))), 1);
}

TEST(ResetText, IsAsOpenAiWritesIt) {
  EXPECT_EQ(ResetText(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ResetText(absl::Milliseconds(1)), "1s");
  EXPECT_EQ(ResetText(absl::Seconds(59)), "59s");
  EXPECT_EQ(ResetText(absl::Seconds(60)), "1m0s");
  EXPECT_EQ(ResetText(absl::Seconds(360)), "6m0s");
  EXPECT_EQ(ResetText(-absl::Seconds(1)), "0s");
}

}  // namespace
}  // namespace spillway
