#include "adapters/process/codec.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "adapters/process/protocol.h"
#include "adapters/process/records.h"
#include "gmock/gmock.h"

namespace spillway {
namespace {

LaunchOrder SomeOrder() {
  return {.key = {JobId(45), 2},
          .epoch = 7,
          .owner = "modelled",
          .command = {"a", "", std::string("n\0l", 3)},
          .env = {{"K", "V=\n"}},
          .told = {{"SPILLWAY_POOL", "p"}},
          .cwd = "/x",
          .cpus = MilliCpus(1500),
          .memory = Bytes(1 << 30),
          .niceness = 10,
          .hold = absl::Milliseconds(12),
          .turn_group = "g",
          .turn_limit = 8};
}
RunReport SomeReport() {
  return {.key = {JobId(1), 1},
          .owner = "process",
          .phase = RunPhase::kEnded,
          .outcome = RunOutcome::kSignalled,
          .code = 9,
          .out_of_memory = true,
          .message = "m",
          .accepted_at = absl::FromUnixNanos(5),
          .started_at = absl::InfinitePast(),
          .ended_at = absl::FromUnixNanos(-7),
          .cpu_time = absl::Seconds(2),
          .peak_memory = Bytes(4096)};
}

TEST(Codec, WhatIsWrittenIsReadBack) {
  EXPECT_EQ(Decode<LaunchOrder>(Encode(SomeOrder())), SomeOrder());
  EXPECT_EQ(Decode<RunReport>(Encode(SomeReport())), SomeReport());
  EXPECT_EQ(Decode<RunReport>(Encode(RunReport{})), RunReport{});
}

TEST(Codec, EveryShorterOrLongerMessageIsRefused) {
  const std::string good = Encode(SomeOrder());
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_EQ(Decode<LaunchOrder>(good.substr(0, n)), std::nullopt) << n;
  EXPECT_EQ(Decode<LaunchOrder>(good + '\0'), std::nullopt);
}

TEST(Codec, EnumeratorsAndTruthValuesOutsideTheirRangeAreRefused) {
  RunReport report;
  const std::string good = Encode(report);
  const std::size_t phase = 8 + 4 + 4;  // job, attempt, length of the empty owner
  std::string bad = good;
  bad[phase] = 3;
  EXPECT_EQ(Decode<RunReport>(bad), std::nullopt);
  bad = good;
  bad[phase + 1 + 1 + 4] = 2;  // out_of_memory, after phase, outcome, code
  EXPECT_EQ(Decode<RunReport>(bad), std::nullopt);
}

TEST(Codec, CountThatLiesTakesNoMemory) {
  Writer writer;
  writer(std::uint64_t{1}, std::string("o"), std::uint64_t{1}, true, std::uint32_t{0xffffffff});
  EXPECT_EQ(Decode<TakeMessage>(writer.Take()), std::nullopt);
}

// Any bytes: a message or a refusal, never more than was sent, no crash (run with sanitizers).
TEST(Codec, RandomDamageIsReadOrRefused) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    std::string bytes = Encode(LaunchMessage{3, SomeOrder()});
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto message = Decode<LaunchMessage>(bytes);
    if (message) {
      EXPECT_EQ(Encode(*message), bytes);
    }
  }
}

TEST(FrameReader, FindsFramesHoweverTheStreamIsCut) {
  const std::string stream =
      EncodeFrame(1, "one") + EncodeFrame(2, "") + EncodeFrame(3, std::string(5000, 'x'));
  for (const std::size_t piece : {1, 2, 3, 7, 4096, 100000}) {
    FrameReader reader;
    std::vector<std::pair<int, std::size_t>> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.Append(std::string_view(stream).substr(at, piece));
      for (auto frame = reader.Next(); frame.ok() && *frame; frame = reader.Next()) {
        EXPECT_EQ((*frame)->version, kProtocolVersion);
        seen.emplace_back((*frame)->type, (*frame)->body.size());
      }
    }
    EXPECT_THAT(seen, testing::ElementsAre(testing::Pair(1, 3), testing::Pair(2, 0),
                                           testing::Pair(3, 5000)))
        << piece;
  }
}

TEST(FrameReader, LengthsOutsideTheBoundsAreRefused) {
  for (const std::uint32_t length :
       {0u, 1u, static_cast<std::uint32_t>(kMaxMessage - 3), 0xffffffffu}) {
    Writer writer;
    writer(length);
    FrameReader reader;
    reader.Append(writer.Take());
    EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kInvalidArgument) << length;
  }
}

TEST(Seal, FileThatWasChangedAnywhereIsNotBelieved) {
  const std::string file = Seal(3, "body");
  ASSERT_TRUE(Unseal(3, file).ok());
  EXPECT_EQ(*Unseal(3, file), "body");
  EXPECT_FALSE(Unseal(4, file).ok());
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(Unseal(3, changed).ok()) << i;
    EXPECT_FALSE(Unseal(3, file.substr(0, i)).ok()) << i;
  }
}

}  // namespace
}  // namespace spillway
