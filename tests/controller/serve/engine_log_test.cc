#include "controller/engine_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class EngineLogs : public testing::Test {
 protected:
  // What was written since the last call; warnings begin with "!".
  std::vector<std::string> Lines() { return std::exchange(lines_, {}); }
  static std::shared_ptr<const RouterInputs> Inputs(bool ejected) {
    auto inputs = std::make_shared<RouterInputs>();
    PoolSpec spec;
    spec.name = "a10";
    RouterPool pool;
    pool.spec = std::make_shared<const PoolSpec>(spec);
    pool.endpoints = {{.up = true}, {.up = true, .ejected = ejected}};
    inputs->pools.push_back(pool);
    return inputs;
  }
  static Request Ended(ForwardFault fault, RequestEnd end) {
    Request request;
    request.attempts = {{{PoolId{0}, 1}, fault}};
    request.end = end;
    return request;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::vector<std::string> lines_;
  EngineLog log_{clock_, [this](bool bad, std::string_view line) {
                   lines_.push_back((bad ? "!" : "") + std::string(line));
                 }};
};

TEST_F(EngineLogs, SayThatAnEngineGoesDownAndComesBackOnceEach) {
  log_.OnHealth("a10/0", true, "");
  EXPECT_THAT(Lines(), IsEmpty()) << "all is well";
  for (int i = 0; i < 3; ++i) log_.OnHealth("a10/0", false, "connection refused");
  EXPECT_THAT(Lines(), ElementsAre("!engine a10/0 is down: connection refused"));
  for (int i = 0; i < 3; ++i) log_.OnHealth("a10/0", true, "");
  EXPECT_THAT(Lines(), ElementsAre("engine a10/0 answers again"));
  log_.OnHealth("new/0", false, "");
  EXPECT_THAT(Lines(), ElementsAre("!engine new/0 is down: no reason given"));
}

TEST_F(EngineLogs, SayThatAListOfModelsCannotBeRead) {
  log_.OnModels("a10/0", "");
  for (int i = 0; i < 3; ++i) log_.OnModels("a10/0", "GET /v1/models answers 403");
  EXPECT_THAT(Lines(), ElementsAre("!engine a10/0: its list of models cannot be read: GET "
                                   "/v1/models answers 403"));
  log_.OnModels("a10/0", "");
  EXPECT_THAT(Lines(), ElementsAre("engine a10/0 tells its models again"));
}

TEST_F(EngineLogs, SayThatAnEngineIsLeftOutAndReturns) {
  log_.OnInputs(Inputs(false));
  EXPECT_THAT(Lines(), IsEmpty());
  log_.OnInputs(Inputs(true));
  log_.OnInputs(Inputs(true));
  EXPECT_THAT(Lines(),
              ElementsAre("!engine a10/1 is left out for a while: it failed again and again"));
  log_.OnInputs(Inputs(false));
  EXPECT_THAT(Lines(), ElementsAre("engine a10/1 gets requests again"));
}

TEST_F(EngineLogs, SayThatAnEngineFailsRequestsUntilItAnswers) {
  log_.OnInputs(Inputs(false));
  for (int i = 0; i < 3; ++i) log_.OnEnded(Ended(ForwardFault::kError, RequestEnd::kFailed));
  EXPECT_THAT(Lines(), ElementsAre(AllOf(StartsWith("!engine a10/1 failed a request: "),
                                         HasSubstr("401, 403, 404"))));
  log_.OnEnded(Ended(ForwardFault::kNone, RequestEnd::kRefused));
  EXPECT_THAT(Lines(), IsEmpty()) << "the client's fault, and no sign that all is well";
  log_.OnEnded(Ended(ForwardFault::kNone, RequestEnd::kAnswered));
  EXPECT_THAT(Lines(), ElementsAre("engine a10/1 answers requests again"));
  log_.OnEnded(Ended(ForwardFault::kTimeout, RequestEnd::kFailed));
  EXPECT_THAT(Lines(), ElementsAre("!engine a10/1 failed a request: no answer in time"));
  log_.OnEnded(Ended(ForwardFault::kOverloaded, RequestEnd::kFailed));
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(EngineLogs, SayWhichOfSeveralTriesFailed) {
  log_.OnInputs(Inputs(false));
  Request request = Ended(ForwardFault::kNone, RequestEnd::kAnswered);
  request.attempts.insert(request.attempts.begin(), {{PoolId{0}, 0}, ForwardFault::kConnect});
  log_.OnEnded(request);
  EXPECT_THAT(Lines(), ElementsAre("!engine a10/0 failed a request: no connection could be made"));
}

TEST_F(EngineLogs, AreBounded) {
  for (int i = 0; i < 2 * EngineLog::kMostLines; ++i)
    log_.OnHealth(absl::StrCat("a10/", i), false, std::string(100'000, 'x'));
  const auto first = Lines();
  EXPECT_THAT(first, SizeIs(EngineLog::kMostLines));
  EXPECT_LT(first[0].size(), EngineLog::kLongestReason + 100);
  clock_.AdvanceTo(clock_.Now() + absl::Minutes(1));
  log_.OnHealth("a10/0", true, "");
  EXPECT_THAT(Lines(), ElementsAre(EndsWith("(60 lines about engines were left out)")));
  log_.OnHealth("a10/1", true, "");
  EXPECT_THAT(Lines(), ElementsAre(EndsWith("answers again")));
}

}  // namespace
}  // namespace spillway
