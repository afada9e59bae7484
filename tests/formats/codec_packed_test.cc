#include "formats/codec_packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "formats/codec.h"
#include "formats/codec_packed_changes.h"
#include "formats/codec_write.h"
#include "tests/support/random_values.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::RandomValues;

constexpr std::uint64_t kSeeds = 200;

event::RequestsEnded RandomBatch(RandomValues& random) {
  event::RequestsEnded ended;
  for (std::uint64_t n = random.Below(30); n > 0; --n)
    ended.requests.push_back(std::make_shared<const Request>(random.Make<Request>()));
  return ended;
}

// As a router ends them: 1 kB chat, one pool.
std::shared_ptr<const Request> Usual(int i) {
  const absl::Time at = absl::FromUnixNanos(1'795'000'000'123'456'789) + i * absl::Microseconds(31);
  Request r;
  r.id = MakeRequestId(3, static_cast<std::uint64_t>(1'000'000 + i));
  r.view = EventNumber{1234};
  r.draw = static_cast<std::uint64_t>(1'000'000 + i);
  r.features = {.arrived = at, .model = "bench-model", .models = {"bench-model"}};
  r.features.prompt_bytes = 820;
  r.features.max_tokens = 256;
  r.readings = {{0, {.running = 31, .context_tokens = 6321}}};
  r.order = {0};
  r.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  r.ended = at + absl::Microseconds(417);
  r.answered_by = "bench-model";
  r.prompt_tokens = 200;
  r.output_tokens = 256;
  r.held = absl::Nanoseconds(14'321);
  r.expected.wait = {absl::Nanoseconds(123'456), absl::Nanoseconds(234'567)};
  r.expected.ttft = absl::Nanoseconds(12'345'678);
  r.cost = r.marginal_cost = Usd(3'978);
  return std::make_shared<const Request>(r);
}

TEST(PackedCodec, WhatItWritesIsSaidToBePackedAndComesBack) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    const event::RequestsEnded ended = RandomBatch(random);
    const std::string text = EncodeEvent(ended);
    ASSERT_EQ(codec::FormOfPackedText(text), 3);
    const auto back = DecodeEvent("requests", text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.status();
    ASSERT_TRUE(codec::Same(std::get<event::RequestsEnded>(*back), ended)) << "seed " << seed;
  }
}

TEST(PackedCodec, TheTextOfBeforeIsStillRead) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    const event::RequestsEnded ended = RandomBatch(random);
    std::string text;
    codec::WriteDocument(text, ended);
    ASSERT_TRUE(text.starts_with(R"({"v":1)"));
    const auto back = DecodeEvent("requests", text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.status();
    ASSERT_TRUE(codec::Same(std::get<event::RequestsEnded>(*back), ended)) << "seed " << seed;
  }
}

// Each request by itself, as version 2 packed them.
TEST(PackedCodec, WhatWasPackedBeforeIsStillRead) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    const event::RequestsEnded ended = RandomBatch(random);
    codec::Packer packer;
    codec::Pack(packer, ended);
    const std::string text =
        R"({"v":2,"packed":")" + absl::Base64Escape(ToAbsl(packer.bytes())) + R"("})";
    ASSERT_EQ(codec::FormOfPackedText(text), 2);
    const auto back = DecodeEvent("requests", text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.status();
    ASSERT_TRUE(codec::Same(std::get<event::RequestsEnded>(*back), ended)) << "seed " << seed;
  }
}

TEST(PackedCodec, TakesAFractionOfTheText) {
  event::RequestsEnded ended;
  for (int i = 0; i < 1000; ++i) ended.requests.push_back(Usual(i));
  std::string text;
  codec::WriteDocument(text, ended);
  EXPECT_LT(12 * EncodeEvent(ended).size(), text.size());
  codec::Packer packer;
  codec::Pack(packer, ended);
  EXPECT_LT(2 * EncodeEvent(ended).size(), packer.bytes().size()) << "than each by itself";
}

// Any number may follow any other, whatever their difference comes to.
TEST(PackedCodec, DifferencesWrapAround) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max(), kLow = -kHigh - 1;
  event::RequestsEnded ended;
  for (const auto& [id, cost, status] : std::vector<std::tuple<std::uint64_t, std::int64_t, int>>{
           {0, kLow, std::numeric_limits<int>::min()},
           {kMost, kHigh, std::numeric_limits<int>::max()},
           {1, kLow, 0},
           {kMost / 2 + 1, 0, std::numeric_limits<int>::min()},
           {0, kHigh, 200}}) {
    auto request = std::make_shared<Request>();
    request->id = RequestId{id};
    request->draw = ~id;
    request->cost = Usd(cost);
    request->status = status;
    ended.requests.push_back(std::move(request));
  }
  const auto back = DecodeEvent("requests", EncodeEvent(ended));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(codec::Same(std::get<event::RequestsEnded>(*back), ended));
}

// Damage is refused, or still means something; it never leads anywhere else.
TEST(PackedCodec, DamagedBytesAreRefusedOrStillMeanSomething) {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    const bool alone = random.OneIn(2);
    codec::Packer packer;
    const event::RequestsEnded ended = RandomBatch(random);
    alone ? codec::Pack(packer, ended) : codec::PackAlike(packer, ended.requests);
    for (int i = 0; i < 20; ++i) {
      std::string bytes(packer.bytes());
      const std::size_t at = random.Below(bytes.size());
      if (random.OneIn(2)) {
        bytes.resize(at);
      } else {
        bytes[at] = static_cast<char>(random.Below(256));
      }
      const std::string text = absl::StrCat(R"({"v":)", alone ? 2 : 3, R"(,"packed":")",
                                            absl::Base64Escape(bytes), R"("})");
      const auto back = DecodeEvent("requests", text);
      if (back.ok()) continue;
      ASSERT_EQ(back.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

std::string WhyNot(std::string_view bytes, int form = 2) {
  const std::string text = absl::StrCat(R"({"v":)", form, R"(,"packed":")",
                                        absl::Base64Escape(std::string(bytes)), R"("})");
  return std::string(DecodeEvent("requests", text).status().message());
}

TEST(PackedCodec, SaysWhatIsWrong) {
  EXPECT_THAT(WhyNot(""), HasSubstr("ends too early"));
  EXPECT_THAT(WhyNot(std::string("\x01\x05\x00", 3)), HasSubstr("length past the end"));
  EXPECT_THAT(WhyNot("\x02"), HasSubstr("a field that this program lacks"));
  EXPECT_THAT(WhyNot(std::string("\x00\x00", 2)), HasSubstr("more than the document"));
  EXPECT_THAT(WhyNot("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), HasSubstr("number out of range"));
  EXPECT_THAT(WhyNot("", 3), HasSubstr("ends too early"));
  EXPECT_THAT(WhyNot("\x05", 3), HasSubstr("length past the end"));
  EXPECT_THAT(WhyNot(std::string("\x01\x00\x00", 3), 3), HasSubstr("more than the document"));
  EXPECT_THAT(WhyNot("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 3),
              HasSubstr("a field that this program lacks"));
  EXPECT_THAT(WhyNot("\x01\x80\x08\xff\xff\xff\xff\xff\x01", 3), HasSubstr("a number out of range"))
      << "the status, an int";
  for (const char* text : {R"({"v":2,"packed":"AA)", R"({"v":3,"packed":"AA)",
                           R"({"v":2,"packed":"!"})", R"({"v":2,"r":[]})"})
    EXPECT_THAT(std::string(DecodeEvent("requests", text).status().message()),
                HasSubstr("no packed document"));
}

// The places of fields in their lists, and these bytes, are what is on people's disks.
TEST(PackedCodec, ItsBytesStayWhatTheyAre) {
  auto request = std::make_shared<Request>();
  request->id = RequestId{300};
  request->features.tenant = "blue";
  request->features.arrived = absl::FromUnixNanos(5);
  request->answered_by = "blue";
  request->ended = absl::FromUnixNanos(8);
  request->queued = absl::InfiniteDuration();
  codec::Packer packer;
  codec::Pack(packer, event::RequestsEnded{{request}});
  EXPECT_EQ(absl::BytesToHexString(ToAbsl(packer.bytes())),
            "01"      // the first field of the event
            "01"      // one request
            "85e001"  // its fields 0, 2, 12, 13 and 14 ...
            "ac02"    // ... 300
            "03"
            "14"  // ... features 0 and 1: 5 ns after 1970, zigzag and doubled ...
            "00"
            "04"
            "626c7565"  // ... the text "blue"
            "0c"        // ... ended 3 ns later
            "01"        // ... the first text again
            "01");      // ... forever
}

TEST(PackedCodec, ItsBytesOfDifferencesStayWhatTheyAre) {
  event::RequestsEnded ended;
  for (std::uint64_t i = 300; i < 303; ++i) {
    auto request = std::make_shared<Request>();
    request->id = RequestId{i};
    request->features.tenant = "blue";
    request->features.arrived = absl::FromUnixNanos(static_cast<std::int64_t>(i));
    request->cost = Usd(i == 302 ? 5 : 7);
    ended.requests.push_back(std::move(request));
  }
  codec::Packer packer;
  codec::PackAlike(packer, ended.requests);
  EXPECT_EQ(absl::BytesToHexString(ToAbsl(packer.bytes())),
            "03"        // three of them
            "85808008"  // the first: its fields 0, 2 and 24 ...
            "d804"      // ... 300
            "03"
            "b009"  // ... features 0 and 1: 300 ns after 1970, zigzag and doubled ...
            "00"
            "04"
            "626c7565"  // ... the text "blue"
            "0e"        // ... 7
            "05"        // the second: fields 0 and 2 ...
            "02"        // ... one more
            "01"
            "04"        // ... a nanosecond later
            "85808008"  // the third
            "02"
            "01"
            "04"
            "03");  // ... costs 2 less
}

}  // namespace
}  // namespace spillway
