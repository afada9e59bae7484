#include "adapters/openai/held_answer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using testing::ElementsAre;

const std::string kWhole =
    R"({"choices":[{"index":0,"message":{"content":"hi"},"logprobs":{"content":[{"logprob":-2}]},)"
    R"("finish_reason":"stop"}],"usage":{"completion_tokens":1}})";

std::string Stream(const std::string& logprobs) {
  return ": hello\n\n"
         R"(data: {"choices":[{"index":0,"delta":{"role":"assistant"},"logprobs":null}]})"
         "\n\n"
         R"(data: {"choices":[{"index":0,"delta":{"content":"hi"},"logprobs":)" +
         logprobs +
         "}]}\n\n"
         R"(data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})"
         "\r\n\r\ndata: [DONE]\n\n";
}
const std::string kStreamed = Stream(R"({"content":[{"token":"hi","logprob":-2}]})");

TEST(HeldAnswer, IsLeftAsItIsUnlessToldOtherwise) {
  std::string body = kWhole;
  const AnswerFacts facts = ReadHeldAnswer({}, body);
  EXPECT_EQ(body, kWhole);
  EXPECT_TRUE(facts.readable);
  EXPECT_THAT(facts.finish, ElementsAre(FinishReason::kStop));
  EXPECT_EQ(facts.mean_logprob, -2'000'000);

  std::string stream = kStreamed;
  const AnswerFacts streamed = ReadHeldAnswer({.events = true}, stream);
  EXPECT_EQ(stream, kStreamed);
  EXPECT_TRUE(streamed.readable);
  EXPECT_THAT(streamed.finish, ElementsAre(FinishReason::kLength));
  EXPECT_EQ(streamed.mean_logprob, -2'000'000);
}

TEST(HeldAnswer, LosesTheLogprobsThatOnlyWeAskedFor) {
  std::string body = kWhole;
  EXPECT_EQ(ReadHeldAnswer({.cut_logprobs = true}, body).mean_logprob, -2'000'000);
  EXPECT_EQ(body, R"({"choices":[{"index":0,"message":{"content":"hi"},"logprobs":null,)"
                  R"("finish_reason":"stop"}],"usage":{"completion_tokens":1}})");
  std::string stream = kStreamed;
  EXPECT_EQ(ReadHeldAnswer({.events = true, .cut_logprobs = true}, stream).mean_logprob,
            -2'000'000);
  EXPECT_EQ(stream, Stream("null"));
}

TEST(HeldAnswer, DataOnSeveralLinesStaysOneEvent) {
  std::string stream =
      "data: {\"choices\":[{\"logprobs\":\ndata: {\"content\":[]},\ndata: \"x\":1}]}\n\n";
  EXPECT_TRUE(ReadHeldAnswer({.events = true, .cut_logprobs = true}, stream).readable);
  EXPECT_EQ(stream, "data: {\"choices\":[{\"logprobs\": null, \"x\":1}]}\n\n");
}

TEST(HeldAnswer, AWholeStreamOfAMegabyteIsRead) {
  std::string stream;
  const std::string chunk = R"(data: {"choices":[{"delta":{"content":"0123456789"}}]})"
                            "\n\n";
  while (stream.size() < (std::size_t{1} << 20)) stream += chunk;
  const auto wanted = WantedJson::Read(R"({"type":"json_object"})");
  ASSERT_TRUE(wanted);
  const AnswerFacts facts = ReadHeldAnswer({.events = true, .wanted = &*wanted}, stream);
  EXPECT_TRUE(facts.readable);
  EXPECT_EQ(facts.schema_met, false);
}

TEST(HeldAnswer, WhatIsNoAnswerIsNotReadable) {
  for (const char* text : {"", "hello", R"({"error":{"message":"no"}})"}) {
    std::string body = text;
    EXPECT_FALSE(ReadHeldAnswer({.cut_logprobs = true}, body).readable) << text;
    EXPECT_EQ(body, text);
  }
  std::string stream = "data: nonsense\n\n";
  EXPECT_FALSE(ReadHeldAnswer({.events = true, .cut_logprobs = true}, stream).readable);
  EXPECT_EQ(stream, "data: nonsense\n\n");
}

}  // namespace
}  // namespace spillway
