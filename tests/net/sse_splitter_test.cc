#include "net/sse_splitter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/sse.h"

namespace spillway {
namespace {

using testing::ElementsAre;

struct Cut {
  std::vector<std::string> events;  // bytes of each
  std::vector<std::string> data;    // of those that have some
  std::string rest;
  bool too_long = false;
  bool operator==(const Cut&) const = default;
  std::string Bytes() const {
    std::string out;
    for (const std::string& event : events) out += event;
    return out + rest;
  }
};

Cut Split(const std::vector<std::string_view>& pieces, std::size_t limit = 1 << 20) {
  SseSplitter splitter(limit);
  Cut out;
  for (const std::string_view piece : pieces) {
    // A copy that dies with the piece: views that outlive it are found by the sanitizer.
    const std::string own(piece);
    splitter.Feed(own);
    SseSplitter::Event event;
    while (splitter.Next(&event)) {
      out.events.emplace_back(event.bytes);
      if (event.has_data) out.data.emplace_back(event.data);
    }
  }
  out.rest = splitter.rest();
  out.too_long = splitter.too_long();
  return out;
}

const std::vector<std::string> kStreams{
    "data: a\n\ndata: b\n\ndata: [DONE]\n\n",
    "data: a\r\n\r\ndata: b\r\n\r\ndata: [DONE]\r\n\r\n",
    "data: a\r\rdata: b\r\rdata: [DONE]\r\r",
    ": ping\n\ndata:a\n\n: a\n: b\ndata: b\n\nevent: x\nid: 7\ndata: [DONE]\n\n",
    "\n\r\n\rdata: a\n\n\n\ndata: b\r\n\ndata: [DONE]\n\r\n",
    "data\n\ndata:\n\ndata: x\ndata: y\ndata\n\nretry: 5\n\ndatax: no\n\n",
    "\xEF\xBB\xBF"
    "data: first\n\ndata: open",
};

TEST(SseSplitter, CutsEventsAndFindsTheirData) {
  const Cut lf = Split({kStreams[0]});
  EXPECT_THAT(lf.events, ElementsAre("data: a\n\n", "data: b\n\n", "data: [DONE]\n\n"));
  EXPECT_THAT(lf.data, ElementsAre("a", "b", "[DONE]"));
  EXPECT_EQ(lf.rest, "");
  EXPECT_THAT(Split({kStreams[1]}).events,
              ElementsAre("data: a\r\n\r\n", "data: b\r\n\r\n", "data: [DONE]\r\n\r\n"));
  EXPECT_THAT(Split({kStreams[2]}).data, ElementsAre("a", "b", "[DONE]"));
  EXPECT_THAT(Split({kStreams[3]}).data, ElementsAre("a", "b", "[DONE]"));
  EXPECT_THAT(Split({kStreams[5]}).data, ElementsAre("", "", "x\ny\n"));
  const Cut marked = Split({kStreams[6]});
  EXPECT_THAT(marked.data, ElementsAre("first"));
  EXPECT_EQ(marked.rest, "data: open");
}

// Data, total bytes and order are the same wherever the stream is cut; only an LF behind a CR may
// move over to the next event.
TEST(SseSplitter, AnyTwoCutsGiveTheSame) {
  for (const std::string& stream : kStreams) {
    const std::string_view text(stream);
    const Cut whole = Split({text});
    EXPECT_EQ(whole.Bytes(), stream);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      for (std::size_t j = i; j <= text.size(); ++j) {
        const Cut cut = Split({text.substr(0, i), text.substr(i, j - i), text.substr(j)});
        ASSERT_EQ(cut.data, whole.data) << i << ", " << j << " of " << stream;
        ASSERT_EQ(cut.Bytes(), stream) << i << ", " << j;
        if (stream.find('\r') != stream.npos) continue;
        ASSERT_EQ(cut, whole) << i << ", " << j;
      }
    }
  }
}

TEST(SseSplitter, ByteByByteToo) {
  for (const std::string& stream : kStreams) {
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) {
      bytes.push_back(std::string_view(stream).substr(i, 1));
    }
    EXPECT_EQ(Split(bytes).data, Split({stream}).data) << stream;
  }
}

TEST(SseSplitter, AgreesWithTheParser) {
  for (const std::string& stream : kStreams) {
    SseParser parser;
    ASSERT_TRUE(parser.Feed(stream).ok());
    std::vector<std::string> data;
    while (const auto event = parser.Next()) data.push_back(event->data);
    EXPECT_EQ(Split({stream}).data, data) << stream;
  }
}

TEST(SseSplitter, TakesEventsOfAMegabyteAndNoMore) {
  const std::size_t limit = 1 << 20;
  const std::string big = "data: " + std::string(limit - 8, 'x') + "\n\n";
  ASSERT_EQ(big.size(), limit);
  const std::string more = "data: y\n\n";
  for (const std::size_t step : {limit + 1, std::size_t{1000}, std::size_t{65'536}}) {
    std::vector<std::string_view> pieces;
    const std::string stream = big + more;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      pieces.push_back(std::string_view(stream).substr(at, step));
    }
    const Cut cut = Split(pieces, limit);
    EXPECT_THAT(cut.data, ElementsAre(std::string(limit - 8, 'x'), "y"));
    EXPECT_TRUE(Split(pieces, limit - 1).too_long);
    EXPECT_EQ(Split(pieces, limit - 1).events.size(), 0u);
  }
}

TEST(SseSplitter, BoundsALineThatNeverEnds) {
  SseSplitter splitter(1000);
  const std::string piece(400, 'x');
  SseSplitter::Event event;
  for (int i = 0; i < 100; ++i) {
    splitter.Feed(piece);
    EXPECT_FALSE(splitter.Next(&event));
    EXPECT_LE(splitter.rest().size(), 1000u);
  }
  EXPECT_TRUE(splitter.too_long());
}

TEST(SseSplitter, CopiesNothingThatCameWhole) {
  const std::string stream = kStreams[0];
  SseSplitter splitter;
  splitter.Feed(stream);
  SseSplitter::Event event;
  ASSERT_TRUE(splitter.Next(&event));
  EXPECT_EQ(event.bytes.data(), stream.data());
  EXPECT_EQ(event.data.data(), stream.data() + 6);
}

}  // namespace
}  // namespace spillway
