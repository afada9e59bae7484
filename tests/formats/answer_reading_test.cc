#include "formats/answer_reading.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

using testing::ElementsAre;

// The facts of an answer that came as these texts.
AnswerFacts FactsOf(const std::vector<std::string>& texts, const WantedJson* wanted = nullptr) {
  AnswerReading reading;
  std::vector<ByteRange> logprobs;
  for (const std::string& text : texts) EXPECT_TRUE(reading.Add(text, &logprobs)) << text;
  return reading.Facts(wanted);
}

std::string Choice(int index, const std::string& content, const std::string& rest) {
  return absl::StrCat(R"({"index":)", index, R"(,"message":{"role":"assistant","content":")",
                      content, R"("},)", rest, "}");
}
std::string Answer(const std::string& choices) {
  return absl::StrCat(R"({"id":"x","choices":[)", choices, R"(],"usage":{"prompt_tokens":1}})");
}

TEST(AnswerReading, ReadsAWholeAnswer) {
  const AnswerFacts facts = FactsOf({Answer(Choice(
      0, "ab",
      R"("logprobs":{"content":[{"token":"a","logprob":-0.5,"top_logprobs":[{"logprob":-9}]},)"
      R"({"token":"b","logprob":-1}],"refusal":null},"finish_reason":"length")"))});
  EXPECT_TRUE(facts.readable);
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kLength));
  EXPECT_EQ(facts.mean_logprob, -750'000);
  EXPECT_EQ(facts.schema_met, std::nullopt);
}

TEST(AnswerReading, ReadsTheSameOfAStream) {
  const AnswerFacts facts = FactsOf(
      {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null}]})",
       R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"logprob":-0.5}]}}]})",
       R"({"choices":[{"delta":{"content":"b"},"logprobs":{"content":[{"logprob":-1}]},"index":0}]})",
       R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})",
       R"({"choices":[],"usage":{"prompt_tokens":1}})"});
  EXPECT_TRUE(facts.readable);
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kLength));
  EXPECT_EQ(facts.mean_logprob, -750'000);
}

TEST(AnswerReading, ReadsCompletions) {
  const AnswerFacts facts = FactsOf({R"({"choices":[{"text":"ab","index":0,"finish_reason":"stop",)"
                                     R"("logprobs":{"tokens":["a","b"],"token_logprobs":[null,-2],)"
                                     R"("top_logprobs":[{"a":-1}],"text_offset":[0,1]}}]})"});
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kStop));
  EXPECT_EQ(facts.mean_logprob, -2'000'000);
}

TEST(AnswerReading, TheLeastSureOfSeveralChoicesCounts) {
  const auto sure = [](int index, const char* logprob) {
    return Choice(index, "a",
                  absl::StrCat(R"("logprobs":{"content":[{"logprob":)", logprob,
                               R"(}]},"finish_reason":"stop")"));
  };
  const AnswerFacts facts =
      FactsOf({Answer(sure(0, "-0.25") + "," + sure(1, "-3e0") + "," + sure(2, "-1"))});
  EXPECT_EQ(facts.mean_logprob, -3'000'000);
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kStop));
}

TEST(AnswerReading, OneChoiceWithoutLogprobsLeavesTheMeanUnknown) {
  const AnswerFacts facts =
      FactsOf({Answer(Choice(0, "a", R"("logprobs":{"content":[{"logprob":-1}]})") + "," +
                      Choice(1, "a", R"("logprobs":null)"))});
  EXPECT_EQ(facts.mean_logprob, std::nullopt);
}

// Some engines say -9999 for what they hold for impossible, others more than 0 by rounding.
TEST(AnswerReading, LogprobsOutOfRangeAreTakenForTheNearestThatIsNot) {
  EXPECT_EQ(FactsOf({Answer(Choice(0, "a", R"("logprobs":{"content":[{"logprob":-9999}]})"))})
                .mean_logprob,
            -100'000'000);
  EXPECT_EQ(FactsOf({Answer(Choice(0, "a", R"("logprobs":{"content":[{"logprob":1e-9}]})"))})
                .mean_logprob,
            0);
}

TEST(AnswerReading, SaysWhereLogprobsStand) {
  const std::string json = Answer(Choice(0, "a", R"("logprobs" : {"content":[]} ,"x":1)") + "," +
                                  Choice(1, "b", R"("logprobs":null)"));
  AnswerReading reading;
  std::vector<ByteRange> logprobs;
  ASSERT_TRUE(reading.Add(json, &logprobs));
  ASSERT_EQ(logprobs.size(), 1u);
  EXPECT_EQ(logprobs[0].In(json), R"({"content":[]})");
}

TEST(AnswerReading, HoldsTheWholeTextAgainstTheJsonThatWasAskedFor) {
  const auto wanted = WantedJson::Read(R"({"type":"json_object","schema":{"required":["a"]}})");
  ASSERT_TRUE(wanted);
  EXPECT_EQ(FactsOf({Answer(Choice(0, R"({\"a\":\"\u00e4\"})", R"("x":1)"))}, &*wanted).schema_met,
            true);
  EXPECT_EQ(FactsOf({Answer(Choice(0, R"({\"b\":1})", R"("x":1)"))}, &*wanted).schema_met, false);
  EXPECT_EQ(FactsOf({R"({"choices":[{"delta":{"content":"{\"a\""}}]})",
                     R"({"choices":[{"delta":{"content":":1}"}}]})"},
                    &*wanted)
                .schema_met,
            true);
  const std::string both =
      Answer(Choice(0, R"({\"a\":1})", R"("x":1)") + "," + Choice(1, "no", R"("x":1)"));
  EXPECT_EQ(FactsOf({both}, &*wanted).schema_met, false) << "every choice has to";
}

TEST(AnswerReading, ACallOfAToolIsNoText) {
  const auto wanted = WantedJson::Read(R"({"type":"json_object"})");
  ASSERT_TRUE(wanted);
  const AnswerFacts facts =
      FactsOf({R"({"choices":[{"message":{"content":null,"tool_calls":[{"function":{}}]},)"
               R"("finish_reason":"tool_calls"}]})"},
              &*wanted);
  EXPECT_EQ(facts.schema_met, std::nullopt);
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kToolCalls));
}

TEST(AnswerReading, WhatIsNoAnswerIsNotReadable) {
  AnswerReading reading;
  std::vector<ByteRange> logprobs;
  EXPECT_FALSE(reading.Add("not json", &logprobs));
  EXPECT_FALSE(reading.Add(R"({"choices":[}])", &logprobs));
  EXPECT_TRUE(reading.Add(R"({"error":{"message":"no"}})", &logprobs));
  EXPECT_FALSE(reading.Facts(nullptr).readable);
  std::string many = R"({"choices":[{"index":0})";
  for (int i = 1; i <= 128; ++i) absl::StrAppend(&many, R"(,{"index":)", i, "}");
  EXPECT_FALSE(reading.Add(many + "]}", &logprobs));
}

}  // namespace
}  // namespace spillway
