#include "adapters/openai/answer_stream.h"

#include <string>

#include <gtest/gtest.h>

namespace spillway {
namespace {

std::string Chunk(std::string_view content) {
  return R"(data: {"choices":[{"delta":{"content":")" + std::string(content) +
         R"("}}]})"
         "\n\n";
}
const std::string kRole = R"(data: {"choices":[{"delta":{"role":"assistant","content":""}}]})"
                          "\n\n";
const std::string kEnd = R"(data: {"choices":[{"delta":{},"finish_reason":"stop"}]})"
                         "\n\n";
const std::string kUsage =
    R"(data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})"
    "\n\n";
const std::string kDone = "data: [DONE]\n\n";

// What a client gets of `stream`, cut in two at `at`.
std::string Pass(AnswerStream& events, const std::string& stream, std::size_t at) {
  std::string out;
  for (const std::string& piece : {stream.substr(0, at), stream.substr(at)}) {
    for (const std::string_view part : events.Take(piece)) out.append(part);
  }
  return out;
}

TEST(AnswerStream, PassesTheBytesAsTheyCame) {
  const std::string stream = ": hi\n\n" + kRole + Chunk("a") + Chunk("b") + kEnd + kUsage + kDone;
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    AnswerStream events({});
    ASSERT_EQ(Pass(events, stream, at), stream) << at;
    EXPECT_TRUE(events.done());
    EXPECT_EQ(events.content_deltas(), 2);
    EXPECT_EQ(events.finish(), FinishReason::kStop);
    EXPECT_EQ(events.usage(), (OpenAiUsage{5, 2, {}}));
  }
}

TEST(AnswerStream, CutsOutTheUsageThatNobodyAskedFor) {
  const std::string before = kRole + Chunk("a") + kEnd;
  const std::string stream = before + kUsage + kDone;
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    AnswerStream events({.cut_usage = true});
    ASSERT_EQ(Pass(events, stream, at), before + kDone) << at;
    EXPECT_EQ(events.usage(), (OpenAiUsage{5, 2, {}}));
  }
}

// Wherever the pieces end, and whatever it is: clients read no further than [DONE] either.
TEST(AnswerStream, WhatComesBehindDoneIsForNobody) {
  const std::string whole = Chunk("a") + kUsage + kDone;
  const std::string usage = R"(data: {"choices":[],"usage":{"completion_tokens":900}})"
                            "\n\n";
  for (const std::string& more : {Chunk("b"), kDone, usage, std::string("data: {oops\n\n"),
                                  ": bye\n\n" + kEnd, "data: " + std::string(300, 'x')}) {
    const std::string stream = whole + more;
    for (std::size_t at = 0; at <= stream.size(); ++at) {
      AnswerStream events({.event_limit = 200});
      ASSERT_EQ(Pass(events, stream, at), whole) << at << more;
      EXPECT_TRUE(events.done() && !events.broken());
      EXPECT_EQ(events.content_deltas(), 1);
      EXPECT_EQ(events.usage(), (OpenAiUsage{5, 2, {}}));
    }
  }
}

// Said before the deltas, with them or behind them.
TEST(AnswerStream, NoOutputBesideDeltasIsNotBelieved) {
  const std::string none =
      R"(data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":0}})"
      "\n\n";
  const std::string both =
      R"(data: {"choices":[{"delta":{"content":"a"}}],"usage":{"completion_tokens":0}})"
      "\n\n";
  for (const std::string& stream : {none + Chunk("a"), Chunk("a") + none, both + none}) {
    AnswerStream events({});
    Pass(events, stream, 0);
    EXPECT_EQ(events.usage(), (OpenAiUsage{5, {}, {}})) << stream;
    EXPECT_EQ(events.content_deltas(), 1);
  }
  AnswerStream silent({});
  Pass(silent, kRole + kEnd + none, 0);
  EXPECT_EQ(silent.usage(), (OpenAiUsage{5, 0, {}})) << "it may have said nothing";
  AnswerStream later({});
  Pass(later, none + Chunk("a") + kUsage, 0);
  EXPECT_EQ(later.usage(), (OpenAiUsage{5, 2, {}}));
}

TEST(AnswerStream, KeepsUsageThatComesWithChoices) {
  const std::string stream =
      R"(data: {"choices":[{"delta":{"content":"a"}}],"usage":{"completion_tokens":1}})"
      "\n\n";
  AnswerStream events({.cut_usage = true});
  EXPECT_EQ(Pass(events, stream, 0), stream);
  EXPECT_EQ(events.usage(), (OpenAiUsage{{}, 1, {}}));
}

TEST(AnswerStream, LetsOutWholeEventsOnly) {
  AnswerStream events({});
  const std::string half = Chunk("a").substr(0, 20);
  EXPECT_TRUE(events.Take(half).empty());
  EXPECT_FALSE(events.done());
  EXPECT_EQ(events.content_deltas(), 0);
}

TEST(AnswerStream, APieceOfWholeEventsIsOnePart) {
  AnswerStream events({});
  const std::string stream = Chunk("a") + Chunk("b") + kDone;
  const auto parts = events.Take(stream);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].data(), stream.data());
}

TEST(AnswerStream, TellsOfErrorsAndGarbage) {
  AnswerStream said({});
  const std::string error = R"(data: {"error":{"message":"out of memory"}})"
                            "\n\n";
  EXPECT_EQ(Pass(said, error, 0), error);
  EXPECT_TRUE(said.said_error());
  EXPECT_FALSE(said.done() || said.broken());

  AnswerStream garbled({});
  EXPECT_EQ(Pass(garbled, Chunk("a") + "data: {oops\n\n" + kDone, 0), Chunk("a"));
  EXPECT_TRUE(garbled.broken());
  EXPECT_FALSE(garbled.done());

  AnswerStream endless({.event_limit = 100});
  EXPECT_TRUE(endless.Take("data: " + std::string(200, 'x')).empty());
  EXPECT_TRUE(endless.broken());
}

TEST(AnswerStream, SaysWhyItIsBroken) {
  AnswerStream fine({});
  fine.Take(kRole);
  EXPECT_EQ(fine.why_broken(), "");
  AnswerStream garbled({});
  garbled.Take("data: what\n\n");
  EXPECT_EQ(garbled.why_broken(), "an event is no object of OpenAI's API");
  AnswerStream longer({});
  longer.Take("data: " + std::string(AnswerStream::kEventLimit, 'x'));
  EXPECT_EQ(longer.why_broken(), "an event is longer than 1 MiB");
}

}  // namespace
}  // namespace spillway
