#include "formats/codec_packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "formats/codec.h"
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
    ASSERT_TRUE(codec::IsPackedText(text));
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

TEST(PackedCodec, TakesAFractionOfTheText) {
  event::RequestsEnded ended;
  for (int i = 0; i < 1000; ++i) ended.requests.push_back(Usual(i));
  std::string text;
  codec::WriteDocument(text, ended);
  EXPECT_LT(4 * EncodeEvent(ended).size(), text.size());
}

// Damage is refused, or still means something; it never leads anywhere else.
TEST(PackedCodec, DamagedBytesAreRefusedOrStillMeanSomething) {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    codec::Packer packer;
    codec::Pack(packer, RandomBatch(random));
    for (int i = 0; i < 20; ++i) {
      std::string bytes(packer.bytes());
      const std::size_t at = random.Below(bytes.size());
      if (random.OneIn(2)) {
        bytes.resize(at);
      } else {
        bytes[at] = static_cast<char>(random.Below(256));
      }
      const std::string text = R"({"v":2,"packed":")" + absl::Base64Escape(bytes) + R"("})";
      const auto back = DecodeEvent("requests", text);
      if (back.ok()) continue;
      ASSERT_EQ(back.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

std::string WhyNot(std::string_view bytes) {
  const std::string text =
      R"({"v":2,"packed":")" + absl::Base64Escape(std::string(bytes)) + R"("})";
  return std::string(DecodeEvent("requests", text).status().message());
}

TEST(PackedCodec, SaysWhatIsWrong) {
  EXPECT_THAT(WhyNot(""), HasSubstr("ends too early"));
  EXPECT_THAT(WhyNot(std::string("\x01\x05\x00", 3)), HasSubstr("length past the end"));
  EXPECT_THAT(WhyNot("\x02"), HasSubstr("a field that this program lacks"));
  EXPECT_THAT(WhyNot(std::string("\x00\x00", 2)), HasSubstr("more than the document"));
  EXPECT_THAT(WhyNot("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), HasSubstr("number out of range"));
  for (const char* text :
       {R"({"v":2,"packed":"AA)", R"({"v":2,"packed":"!"})", R"({"v":2,"r":[]})"})
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

}  // namespace
}  // namespace spillway
