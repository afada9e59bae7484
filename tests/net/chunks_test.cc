#include "net/chunks.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace spillway {
namespace {

using State = ChunkReader::State;
using Trailers = ChunkReader::Trailers;

struct Read {
  State state = State::kMore;
  std::string body;
  std::size_t consumed = 0;
  HeadFault fault = HeadFault::kNone;
  bool operator==(const Read&) const = default;
};

// Reads `bytes` in pieces of at most `step`.
Read ReadAll(const std::string& bytes, std::size_t step, Trailers rule = Trailers::kRefuse) {
  ChunkReader chunks(rule);
  Read out;
  std::string_view rest = bytes;
  while (out.state == State::kMore && !rest.empty()) {
    std::string_view piece = rest.substr(0, step);
    while (!piece.empty() && out.state == State::kMore) {
      const ChunkReader::Step got = chunks.Next(piece);
      out.state = got.state;
      out.body += got.data;
      out.consumed += got.consumed;
      piece.remove_prefix(got.consumed);
      rest.remove_prefix(got.consumed);
    }
  }
  out.fault = chunks.refusal().fault;
  return out;
}

TEST(ChunkReader, JoinsChunksWhateverTheSplit) {
  const std::string body = "5\r\nhello\r\n0006;a=b;c\r\n world\r\nA\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    const Read got = ReadAll(body + "GET /next", step);
    EXPECT_EQ(got.state, State::kDone);
    EXPECT_EQ(got.body, "hello world0123456789");
    EXPECT_EQ(got.consumed, body.size());
  }
}

TEST(ChunkReader, TellsTheSizeBeforeTheData) {
  ChunkReader chunks(Trailers::kRefuse);
  chunks.Next("ffffffff\r\n");
  EXPECT_EQ(chunks.pending(), 0xffffffffu);
}

struct Case {
  std::string name;
  std::string bytes;
  HeadFault fault;
};
class RefusedChunks : public testing::TestWithParam<Case> {};
TEST_P(RefusedChunks, WhateverTheSplit) {
  const auto& [name, bytes, fault] = GetParam();
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Read got = ReadAll(bytes, step);
    ASSERT_EQ(got.state, State::kRefused) << "in steps of " << step;
    EXPECT_EQ(FaultName(got.fault), FaultName(fault));
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedChunks,
    testing::ValuesIn(std::vector<Case>{
        {"NoSize", "\r\nabc\r\n", HeadFault::kChunk},
        {"NoHex", "g\r\n", HeadFault::kChunk},
        {"Signed", "+5\r\nhello\r\n", HeadFault::kChunk},
        {"Negative", "-1\r\n", HeadFault::kChunk},
        {"Prefixed", "0x5\r\nhello\r\n", HeadFault::kChunk},
        {"NineDigits", "000000005\r\nhello\r\n", HeadFault::kChunk},
        {"Overflow", "10000000000000005\r\n", HeadFault::kChunk},
        {"BlankBefore", " 5\r\nhello\r\n", HeadFault::kChunk},
        {"BlankBehind", "5 \r\nhello\r\n", HeadFault::kChunk},
        {"BareLf", "5\nhello\r\n", HeadFault::kChunk},
        {"BareCr", "5\rhello\r\n", HeadFault::kChunk},
        {"QuotedExtension", "5;a=\"b\"\r\nhello\r\n", HeadFault::kChunk},
        {"QuotedLineEnd", "5;a=\"\r\n\"\r\nhello\r\n", HeadFault::kChunk},
        {"LfInExtension", "5;a\nhello\r\n", HeadFault::kChunk},
        {"LongExtension", "5;" + std::string(257, 'x') + "\r\nhello\r\n", HeadFault::kChunk},
        {"DataTooLong", "5\r\nhello!\r\n", HeadFault::kChunk},
        {"DataEndsInLf", "5\r\nhello\n0\r\n\r\n", HeadFault::kChunk},
        {"EndWithoutLf", "0\r\n\rX", HeadFault::kChunk},
        {"Trailer", "0\r\nX: y\r\n\r\n", HeadFault::kTrailer},
        {"RequestAsTrailer", "0\r\nGET / HTTP/1.1\r\n\r\n", HeadFault::kTrailer},
    }),
    [](const auto& row) { return row.param.name; });

TEST(ChunkReader, KeepsTrailersOfAnswers) {
  const std::string bytes = "1\r\nx\r\n0\r\nCost: 1.5\r\nOther: y\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Read got = ReadAll(bytes, step, Trailers::kKeep);
    ASSERT_EQ(got.state, State::kDone);
    EXPECT_EQ(got.consumed, bytes.size());
  }
  ChunkReader chunks(Trailers::kKeep);
  std::string_view rest = bytes;
  while (!rest.empty()) rest.remove_prefix(chunks.Next(rest).consumed);
  EXPECT_EQ(chunks.trailers().Get("cost"), "1.5");
  EXPECT_EQ(chunks.trailers().Get("OTHER"), "y");
}

TEST(ChunkReader, BoundsTrailersOfAnswers) {
  std::string many = "0\r\n";
  for (int i = 0; i < 101; ++i) many += "a: b\r\n";
  EXPECT_EQ(ReadAll(many, 7, Trailers::kKeep).fault, HeadFault::kTooManyFields);
  const std::string endless = "0\r\nA: " + std::string(20'000, 'x');
  EXPECT_EQ(ReadAll(endless, 4096, Trailers::kKeep).state, State::kRefused);
  EXPECT_EQ(ReadAll("0\r\nbad\r\n\r\n", 3, Trailers::kKeep).fault, HeadFault::kFieldName);
}

// Any bytes, any split: the same verdict, and never more body than bytes.
TEST(ChunkReader, VerdictDoesNotHangOnTheSplit) {
  std::mt19937_64 draw(7);
  const std::string alphabet = "0123af;=\r\n\r\n\r\nxX:\" ";
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes = draw() % 2 ? "3\r\nabc\r\n" : "";
    for (auto size = draw() % 24; size > 0; --size) bytes += alphabet[draw() % alphabet.size()];
    const Read whole = ReadAll(bytes, bytes.size() + 1);
    for (const std::size_t step : {1, 2, 3, 5}) {
      Read got = ReadAll(bytes, step);
      EXPECT_EQ(got, whole) << "case " << i << " in steps of " << step << ": " << bytes;
    }
    EXPECT_LE(whole.body.size(), bytes.size());
  }
}

}  // namespace
}  // namespace spillway
