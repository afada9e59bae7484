#include "adapters/modelled/engine_faults.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/adapters/modelled/engine_rig.h"
#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(EngineFaults, AreReadFromJsonAndFromWords) {
  EngineFaults wanted;
  wanted.stall = 0.25;
  wanted.slow_start = absl::Seconds(5);
  EXPECT_EQ(*ParseEngineFaults(R"({"stall":0.25,"slow_start":"5s"})"), wanted);
  EXPECT_EQ(*EngineFaultsOf({"stall=0.25", "slow_start=5s"}), wanted);
  EXPECT_EQ(*ParseEngineFaults(EngineFaultsJson(wanted)), wanted);
  EXPECT_EQ(*EngineFaultsOf({}), EngineFaults());
}

TEST(EngineFaults, SayWhatIsWrongWithThem) {
  const auto message = [](const std::vector<std::string>& words) {
    return std::string(EngineFaultsOf(words).status().message());
  };
  EXPECT_THAT(message({"stal=0.1"}), HasSubstr("did you mean `stall`?"));
  EXPECT_THAT(message({"stall=1.5"}), HasSubstr("a fraction from 0 to 1"));
  EXPECT_THAT(message({"stall=x"}), HasSubstr("/stall"));
  EXPECT_THAT(message({"stall"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(message({"stall=0.6", "drop=0.6"}), HasSubstr("more than 1 together"));
  EXPECT_FALSE(ParseEngineFaults("[]").ok());
}

TEST(EngineFaults, BefallTheirFractionOfRequestsAndTheSameOnesEachTime) {
  EngineFaults faults;
  faults.error = 0.1;
  faults.drop = 0.3;
  std::map<EngineFault, int> count;
  bool same_as_other_seed = true;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const EngineFault fault = FaultFor(faults, 7, i);
    ++count[fault];
    ASSERT_EQ(fault, FaultFor(faults, 7, i));
    same_as_other_seed = same_as_other_seed && fault == FaultFor(faults, 8, i);
  }
  EXPECT_NEAR(count[EngineFault::kError], 1000, 150);
  EXPECT_NEAR(count[EngineFault::kDrop], 3000, 250);
  EXPECT_EQ(count.size(), 3u);
  EXPECT_FALSE(same_as_other_seed);
}

ModelledEngineOptions Always(double EngineFaults::*fault) {
  ModelledEngineOptions options;
  options.faults.*fault = 1;
  return options;
}
constexpr const char* kTen = R"("stream":true,"ignore_eos":true,"max_tokens":10)";
constexpr const char* kTenWhole = R"("ignore_eos":true,"max_tokens":10)";

std::string PostOf(const std::string& more) {
  const std::string body = EngineRig::ChatBody(more);
  return absl::StrCat("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: ",
                      body.size(), "\r\n\r\n", body);
}
int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}
// The first event says who speaks, and no word.
int TokensIn(const std::string& stream) { return CountOf(stream, "{\"content\":\""); }

TEST(FaultyEngine, AnswersAnError) {
  EngineRig rig(TestModel(), Always(&EngineFaults::error));
  const HttpResponse got = rig.Chat("");
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(TextAt(got.body, {"error", "type"}), "server_error");
}

TEST(FaultyEngine, BreaksOffInTheMiddle) {
  EngineRig rig(TestModel(), Always(&EngineFaults::drop));
  RawClient client(rig.port());
  ASSERT_TRUE(client.Send(PostOf(kTen)));
  const std::string got = client.Rest();
  EXPECT_EQ(TokensIn(got), 5);
  EXPECT_THAT(got, Not(HasSubstr("[DONE]")));
  EXPECT_THAT(got, Not(EndsWith("0\r\n\r\n")));  // no proper end
  EXPECT_EQ(rig.Chat("").status, 599);
  EXPECT_TRUE(Eventually([&] { return rig.engine().gauges().running == 0; }));
}

TEST(FaultyEngine, EndsTooEarlyInGoodOrder) {
  EngineRig rig(TestModel(), Always(&EngineFaults::truncate));
  const std::string got = rig.StreamChat(R"(,"ignore_eos":true,"max_tokens":10)");
  EXPECT_EQ(TokensIn(got), 5);
  EXPECT_THAT(got, Not(HasSubstr("[DONE]")));
  EXPECT_THAT(got, Not(HasSubstr("\"finish_reason\":\"")));
  EXPECT_THAT(got, Not(HasSubstr("BROKEN")));
  const HttpResponse whole = rig.Chat("");
  EXPECT_EQ(whole.status, 200);
  EXPECT_FALSE(ParseJson(whole.body).ok());
}

TEST(FaultyEngine, FallsSilentAndKeepsTheConnection) {
  for (const char* more : {kTen, kTenWhole}) {
    EngineRig rig(TestModel(), Always(&EngineFaults::stall));
    RawClient client(rig.port());
    ASSERT_TRUE(client.Send(PostOf(more)));
    client.Until("\r\n\r\n");
    std::string got;  // chunks: a line with the size, a line that is the data
    do {
      got += client.Until("\r\n") + client.Until("\r\n");
    } while (more == kTen && TokensIn(got) < 5);
    EXPECT_EQ(rig.engine().gauges().running, 0);
    // Nothing comes until the server ends, and then no proper end.
    rig.engine().Drain(absl::Seconds(60));
    const std::string rest = client.Rest();
    EXPECT_EQ(rest, "");
    EXPECT_THAT(got, Not(HasSubstr("[DONE]")));
    EXPECT_THAT(got, Not(HasSubstr("finish_reason\":\"")));
  }
}

TEST(FaultyEngine, LiesAboutLengths) {
  EngineRig rig(TestModel(), Always(&EngineFaults::lie));
  const HttpResponse got = rig.Chat(kTenWhole);
  EXPECT_EQ(WordsIn(TextAt(got.body, {"choices", "0", "message", "content"})), 10);
  EXPECT_EQ(NumberAt(got.body, {"usage", "completion_tokens"}), 31);
  EXPECT_EQ(NumberAt(got.body, {"usage", "prompt_tokens"}), 5);
}

TEST(FaultyEngine, StartsSlowly) {
  ModelledEngineOptions options;
  options.faults.slow_start = absl::Hours(1);
  options.faults_endpoint = true;
  EngineRig rig(TestModel(), options);
  for (const char* target : {"/health", "/metrics", "/v1/models"}) {
    const HttpResponse got = rig.Get(target);
    EXPECT_EQ(got.status, 503) << target;
    EXPECT_EQ(got.headers.Get("retry-after"), "1");
  }
  EXPECT_EQ(rig.Chat("").status, 503);
  EXPECT_EQ(TextAt(rig.Get("/_faults").body, {"slow_start"}), "3600s");
  EXPECT_EQ(rig.Post("/_faults", "{}").status, 200);
  EXPECT_EQ(rig.Get("/health").status, 200);
  EXPECT_EQ(rig.Chat("").status, 200);
}

TEST(FaultyEngine, IsTurnedOnAndOffWhileItRuns) {
  ModelledEngineOptions options;
  options.faults_endpoint = true;
  EngineRig rig(TestModel(), options);
  EXPECT_EQ(rig.Chat("").status, 200);
  EXPECT_EQ(rig.Post("/_faults", R"({"error":1})").status, 200);
  EXPECT_EQ(rig.Chat("").status, 500);
  const HttpResponse wrong = rig.Post("/_faults", R"({"eror":1})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(TextAt(wrong.body, {"error", "message"}), HasSubstr("did you mean `error`?"));
  EXPECT_EQ(rig.Chat("").status, 500);  // what stood before still stands
  rig.Post("/_faults", "{}");
  EXPECT_EQ(rig.Chat("").status, 200);
}

}  // namespace
}  // namespace spillway
