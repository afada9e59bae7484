#include "net/sse.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<SseEvent> Parse(std::string_view stream, std::size_t step = std::string::npos) {
  SseParser parser;
  std::vector<SseEvent> events;
  while (!stream.empty()) {
    EXPECT_TRUE(parser.Feed(stream.substr(0, step)).ok());
    stream.remove_prefix(std::min(step, stream.size()));
    while (auto event = parser.Next()) events.push_back(*std::move(event));
  }
  return events;
}

TEST(SseFrame, PutsEachLineIntoItsOwnField) {
  EXPECT_EQ(SseFrame("ADDED", "7", "one\ntwo\r\nthree\rfour"),
            "event: ADDED\nid: 7\ndata: one\ndata: two\ndata: three\ndata: four\n\n");
  EXPECT_EQ(SseFrame(""), "data: \n\n");
  EXPECT_EQ(SseFrame("x\n"), "data: x\ndata: \n\n");
}

TEST(SseFrame, CannotBeBrokenByItsNames) {
  EXPECT_EQ(SseFrame("a\ndata: evil", "1\rid: 2", "x"), "event: a\nid: 1\ndata: x\n\n");
  EXPECT_EQ(SseFrame("", std::string_view("\0a", 2), "x"), "data: x\n\n");
}

TEST(SseComment, IsNoEvent) {
  EXPECT_EQ(SseComment("keep\nalive"), ": keep\n: alive\n\n");
  EXPECT_THAT(Parse(SseComment("x") + SseFrame("y")), ElementsAre(SseEvent{"", "", "y"}));
}

TEST(SseParser, ReadsTheSameWhateverTheSplit) {
  const std::string stream =
      "\xEF\xBB\xBF: hi\r\nevent: a\r\nid: 1\r\ndata: x\r\ndata:y\r\n\r\n"
      "data: z\n\n"
      "id\rdata\rdata\r\r"
      "event: dropped\n\nretry: 5\nother: 6\ndata:  two blanks\n\n"
      "data: not ended";
  const auto whole = Parse(stream);
  EXPECT_THAT(whole, ElementsAre(SseEvent{"a", "1", "x\ny"}, SseEvent{"", "1", "z"},
                                 SseEvent{"", "", "\n"}, SseEvent{"", "", " two blanks"}));
  for (std::size_t step = 1; step < stream.size(); ++step) EXPECT_EQ(Parse(stream, step), whole);
}

TEST(SseParser, IgnoresAnIdWithNul) {
  EXPECT_THAT(Parse(std::string("id: 1\ndata: a\n\nid: \0\ndata: b\n\n", 30)),
              ElementsAre(SseEvent{"", "1", "a"}, SseEvent{"", "1", "b"}));
}

TEST(SseParser, GivesBackWhatTheFrameHeld) {
  for (const std::string data : {"", "x", "a\n\nb", "data: x", " lead", ":c", "\xEF\xBB\xBFz"}) {
    EXPECT_THAT(Parse(SseFrame("e", "i", data)), ElementsAre(SseEvent{"e", "i", data}));
  }
}

TEST(SseParser, BoundsLinesAndEvents) {
  SseParser lines(16);
  EXPECT_TRUE(lines.Feed("data: 0123456789").ok());
  EXPECT_EQ(lines.Feed("0").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(lines.Feed("\n\n").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(lines.Next(), std::nullopt);

  SseParser events(16);
  EXPECT_TRUE(events.Feed("data: 01234567\n").ok());
  EXPECT_EQ(events.Feed("data: 01234567\n\n").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(events.Next(), std::nullopt);
}

TEST(SseParser, AnEndlessLineNeverGrowsPastTheBound) {
  SseParser parser(1 << 20);
  const std::string piece(64 * 1024, 'x');
  absl::Status status;
  int fed = 0;
  while (status.ok() && fed < 1000) status = parser.Feed(piece), ++fed;
  EXPECT_EQ(fed, 17);
}

TEST(SseParser, SaysNothingForAnEmptyStream) { EXPECT_THAT(Parse("\n\n\r\r"), IsEmpty()); }

}  // namespace
}  // namespace spillway
