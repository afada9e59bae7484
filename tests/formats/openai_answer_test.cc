#include "formats/openai_answer.h"

#include <string>

#include <gtest/gtest.h>

namespace spillway {
namespace {

OpenAiAnswer Scan(std::string_view json) {
  OpenAiAnswer out;
  EXPECT_TRUE(ScanOpenAiAnswer(json, &out)) << json;
  return out;
}

TEST(OpenAiAnswer, ReadsAWholeAnswer) {
  const OpenAiAnswer got = Scan(
      R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"\"usage\":{}"},)"
      R"("finish_reason":"length"}],"usage":{"prompt_tokens":12,"completion_tokens":34,)"
      R"("total_tokens":46,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":8}}})");
  EXPECT_EQ(got.usage, (OpenAiUsage{12, 34, 8}));
  EXPECT_EQ(got.finish, FinishReason::kLength);
  EXPECT_EQ(got.choices, 1);
  EXPECT_FALSE(got.usage_only() || got.is_error);
}

TEST(OpenAiAnswer, KnowsTheChunkThatOnlyCarriesUsage) {
  EXPECT_TRUE(Scan(R"({"choices":[],"usage":{"prompt_tokens":1}})").usage_only());
  EXPECT_FALSE(Scan(R"({"choices":[]})").usage_only());
  EXPECT_FALSE(Scan(R"({"choices":[],"usage":null})").usage_only());
  EXPECT_FALSE(Scan(R"({"usage":{"prompt_tokens":1}})").usage_only());
  EXPECT_FALSE(Scan(R"({"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}})").usage_only());
  // Azure's first chunk: no choices, no usage, but filter results that the client wants.
  EXPECT_FALSE(Scan(R"({"choices":[],"prompt_filter_results":[]})").usage_only());
}

TEST(OpenAiAnswer, UnknownIsNotZero) {
  EXPECT_EQ(Scan(R"({"usage":{}})").usage, OpenAiUsage());
  EXPECT_EQ(Scan(R"({"usage":{"prompt_tokens":null,"prompt_tokens_details":null}})").usage,
            OpenAiUsage());
  EXPECT_EQ(Scan("{}").usage, std::nullopt);
}

TEST(OpenAiAnswer, CountsDeltasThatSaySomething) {
  const auto deltas = [](std::string_view choice) {
    return Scan(R"({"choices":[)" + std::string(choice) + "]}").content_deltas;
  };
  EXPECT_EQ(deltas(R"({"delta":{"role":"assistant","content":""}})"), 0);
  EXPECT_EQ(deltas(R"({"delta":{"content":null}})"), 0);
  EXPECT_EQ(deltas(R"({"delta":{},"finish_reason":"stop"})"), 0);
  EXPECT_EQ(deltas(R"({"delta":{"content":" a"}})"), 1);
  EXPECT_EQ(deltas(R"({"delta":{"reasoning_content":"hm"}})"), 1);
  EXPECT_EQ(deltas(R"({"delta":{"tool_calls":[{"index":0}]}})"), 1);
  EXPECT_EQ(deltas(R"({"delta":{"tool_calls":[]}})"), 0);
  EXPECT_EQ(deltas(R"({"delta":{"content":"a"}},{"delta":{"content":"b"}},{"delta":{}})"), 2);
  EXPECT_EQ(deltas(R"({"text":"a"})"), 1);
}

TEST(OpenAiAnswer, NamesTheEnd) {
  const auto finish = [](std::string_view reason) {
    return Scan(R"({"choices":[{"finish_reason":)" + std::string(reason) + "}]}").finish;
  };
  EXPECT_EQ(finish("null"), FinishReason::kNone);
  EXPECT_EQ(finish(R"("stop")"), FinishReason::kStop);
  EXPECT_EQ(finish(R"("tool_calls")"), FinishReason::kToolCalls);
  EXPECT_EQ(finish(R"("content_filter")"), FinishReason::kContentFilter);
  EXPECT_EQ(finish(R"("eos")"), FinishReason::kOther);
}

TEST(OpenAiAnswer, KnowsErrors) {
  EXPECT_TRUE(Scan(R"({"error":{"message":"x"}})").is_error);
  EXPECT_FALSE(Scan(R"({"error":null})").is_error);
}

TEST(OpenAiAnswer, DistrustsWhatIsNotAnAnswer) {
  OpenAiAnswer out;
  for (const char* text : {"", "[]", "{", R"({"usage":7})", R"({"usage":{"prompt_tokens":}})",
                           R"({"choices":{}})", R"({"choices":[7]})", "{} {}"}) {
    EXPECT_FALSE(ScanOpenAiAnswer(text, &out)) << text;
  }
}

// An engine that counts badly still answers: only its count is not known.
TEST(OpenAiAnswer, DistrustsCountsThatCannotBe) {
  for (const char* count : {"-7", "1.5", "\"7\"", "1e18", "1000000000000000000", "10000001", "true",
                            "99999999999999999999999"}) {
    const std::string text = std::string(R"({"usage":{"prompt_tokens":5,"completion_tokens":)") +
                             count + "},\"choices\":[{}]}";
    OpenAiAnswer out;
    EXPECT_TRUE(ScanOpenAiAnswer(text, &out)) << text;
    EXPECT_EQ(out.usage, (OpenAiUsage{5, {}, {}})) << text;
    EXPECT_EQ(out.choices, 1);
  }
  EXPECT_EQ(Scan(R"({"usage":{"completion_tokens":10000000}})").usage->completion_tokens,
            10'000'000);
}

}  // namespace
}  // namespace spillway
