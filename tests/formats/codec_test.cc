#include "formats/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/codec_kinds.h"
#include "tests/support/random_values.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::RandomValues;

constexpr std::uint64_t kSeeds = 300;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// ---- Exact: decode(encode(x)) == x ----

template <class T>
class Exact : public testing::Test {};
using Documents = testing::Types<Work, Job, Decision, PoolSpec, PolicySpec, PricesSpec, TenantsSpec,
                                 Request, Catalog, Config, record::PoolRow, record::PoolBooksRow,
                                 record::ObservationRow, record::PolicyRow, record::CountersRow>;
TYPED_TEST_SUITE(Exact, Documents);

// Rows of pools and policies hold a spec that must be there.
template <class T>
void GiveWhatMustBeThere(T& x) {
  codec::ForEachField<T>([&](const auto& field) {
    auto& member = x.*field.member;
    if constexpr (codec::Shared<std::remove_reference_t<decltype(member)>>) {
      using Pointee =
          std::remove_const_t<typename std::remove_reference_t<decltype(member)>::element_type>;
      if (member == nullptr) member = std::make_shared<const Pointee>();
    }
  });
}

TYPED_TEST(Exact, RandomValuesComeBack) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    auto x = RandomValues(seed).Make<TypeParam>();
    GiveWhatMustBeThere(x);
    const std::string text = codec::Encode(x);
    const auto back = codec::Decode<TypeParam>(text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.status() << "\n" << text;
    ASSERT_TRUE(codec::Same(*back, x)) << "seed " << seed << "\n" << text;
    ASSERT_EQ(codec::Encode(*back), text) << "seed " << seed;
    if constexpr (std::equality_comparable<TypeParam>) {
      ASSERT_TRUE(*back == x) << "seed " << seed;
    }
  }
}

TYPED_TEST(Exact, ADefaultValueIsOnlyItsVersionUnlessSomethingMustBeThere) {
  TypeParam x{}, full{};
  GiveWhatMustBeThere(full);
  if (codec::Same(x, full)) {
    EXPECT_EQ(codec::Encode(x), R"({"v":1})");
  } else {
    EXPECT_DEATH(codec::Encode(x), "broken invariant");
  }
}

// Cut anywhere, or with any byte changed: an answer, never a crash; and what is still accepted is
// again a value that comes back.
TYPED_TEST(Exact, DamagedTextsAreRefusedOrStillMeanSomething) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomValues random(seed);
    auto x = random.Make<TypeParam>();
    GiveWhatMustBeThere(x);
    const std::string text = codec::Encode(x);
    for (int i = 0; i < 50; ++i) {
      std::string damaged = text;
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Bits());
      const auto back = codec::Decode<TypeParam>(damaged);
      if (back.ok()) {
        const auto again = codec::Decode<TypeParam>(codec::Encode(*back));
        ASSERT_TRUE(again.ok() && codec::Same(*again, *back)) << "seed " << seed << "\n" << damaged;
      } else {
        ASSERT_EQ(back.status().code(), absl::StatusCode::kDataLoss) << damaged;
      }
      const std::string cut = text.substr(0, random.Below(text.size()));
      ASSERT_EQ(codec::Decode<TypeParam>(cut).status().code(), absl::StatusCode::kDataLoss) << cut;
    }
  }
}

template <std::size_t I = 0>
void TryEvents(RandomValues& random, std::uint64_t seed) {
  if constexpr (I < std::variant_size_v<event::Body>) {
    using E = std::variant_alternative_t<I, event::Body>;
    E e{};
    if constexpr (std::same_as<E, event::Submitted>) {
      e.work = std::make_shared<const Work>(random.Make<Work>());
    } else {
      random.Fill(e);
      GiveWhatMustBeThere(e);
    }
    const event::Body body = e;
    const std::string text = EncodeEvent(body);
    const auto back = DecodeEvent(KindOf(body), text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.status() << "\n" << text;
    ASSERT_EQ(back->index(), I);
    if constexpr (std::same_as<E, event::Submitted>) {
      ASSERT_EQ(*std::get<E>(*back).work, *e.work) << text;
    } else {
      ASSERT_TRUE(codec::Same(std::get<E>(*back), e)) << "seed " << seed << "\n" << text;
    }
    TryEvents<I + 1>(random, seed);
  }
}

TEST(EventCodec, RandomEventsOfEveryKindComeBack) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomValues random(seed);
    TryEvents(random, seed);
  }
}

TEST(EventCodec, TheTextOfASubmissionIsThatOfItsWork) {
  const auto work = std::make_shared<const Work>(RandomValues(7).Make<Work>());
  EXPECT_EQ(EncodeEvent(event::Submitted{work}), codec::Encode(*work));
}

TEST(EventCodec, UnknownKindsAndMissingPartsAreRefused) {
  EXPECT_THAT(Message(DecodeEvent("sumbitted", R"({"v":1})").status()), HasSubstr("sumbitted"));
  EXPECT_THAT(Message(DecodeEvent("started", R"({"v":1,"epoch":3})").status()),
              HasSubstr("/config: missing"));
  EXPECT_THAT(Message(DecodeEvent("pool_added", R"({"v":1,"pool":null})").status()),
              HasSubstr("/pool: found nothing"));
}

TEST(EventCodecDeathTest, AnEventWithoutWhatMustBeThereIsOurOwnFault) {
  EXPECT_DEATH(EncodeEvent(event::Submitted{}), "broken invariant");
  EXPECT_DEATH(EncodeEvent(event::PolicySet{}), "broken invariant");
}

// ---- The odd corners of time, numbers and texts ----

absl::Time BackFrom(absl::Time at) {
  Decision decision;
  decision.at = at;
  return codec::Decode<Decision>(codec::Encode(decision))->at;
}

TEST(Codec, TimesAreExactToTheQuarterNanosecondAndPastTheRangeOfNanoseconds) {
  const absl::Time t = absl::UnixEpoch();
  for (const absl::Time at :
       {t, t + absl::Nanoseconds(1), t - absl::Nanoseconds(1), t + absl::Nanoseconds(1) / 4,
        t - absl::Nanoseconds(3) / 4, t + absl::Hours(24 * 365 * 8000),
        t - absl::Hours(24 * 365 * 1000) - absl::Nanoseconds(1) / 4, absl::InfiniteFuture(),
        absl::InfinitePast(), absl::FromUnixNanos(std::numeric_limits<std::int64_t>::max()),
        absl::FromUnixNanos(std::numeric_limits<std::int64_t>::min())})
    EXPECT_EQ(BackFrom(at), at) << at;
}

TEST(Codec, NotANumberComesBackAsNotANumber) {
  PolicySpec policy;
  policy.claim.band = std::nan("");
  EXPECT_TRUE(std::isnan(codec::Decode<PolicySpec>(codec::Encode(policy))->claim.band));
}

TEST(Codec, TextsThatAreNoUtf8AreKeptByteForByte) {
  Work work;
  work.name = "a\xff";
  work.labels["\xfe"] = "x";
  const std::string text = codec::Encode(work);
  EXPECT_EQ(text, R"({"v":1,"name":{"hex":"61ff"},"labels":[[{"hex":"fe"},"x"]]})");
  EXPECT_EQ(*codec::Decode<Work>(text), work);
}

TEST(Codec, AnEmptyListIsNotTheSameAsNone) {
  PoolSpec pool;
  pool.models.emplace();
  const auto back = codec::Decode<PoolSpec>(codec::Encode(pool));
  ASSERT_TRUE(back.ok());
  ASSERT_TRUE(back->models.has_value());
  EXPECT_TRUE(back->models->empty());
  EXPECT_FALSE(back->classes.has_value());
}

TEST(Codec, TheSpellingOfAVersionIsKept) {
  PoolSpec pool;
  pool.runtimes["cuda"] = *Version::Parse("12.0");
  pool.runtimes["none"] = Version();
  const auto back = codec::Decode<PoolSpec>(codec::Encode(pool));
  EXPECT_EQ(back->runtimes.at("cuda").text(), "12.0");
  EXPECT_EQ(back->runtimes.at("none").text(), "");
}

// ---- Lasting: these texts are what state folders hold; they must go on meaning the same ----

TEST(StorageFormat, OfADecision) {
  Decision d{.id = DecisionId{123},
             .event = EventNumber{45},
             .work = JobId{44},
             .at = absl::FromUnixNanos(1'753'693'702'417'000'000),
             .tenant = "default",
             .outcome = Outcome::kPlaced,
             .chosen = PoolId{1},
             .policy = "backstop",
             .policy_version = 3,
             .inputs_hash = 0xffffffffffffffff};
  d.baseline = {.pool = PoolId{2}, .cost = Usd(6'147'778), .duration = absl::Seconds(22)};
  Candidate c{.pool = PoolId{1}, .verdict = Verdict::kChosen, .position = 0, .has_estimate = true};
  c.codes.Add(Code::kChosen);
  c.estimate.duration = {absl::Seconds(24), absl::Seconds(30)};
  c.estimate.cost = Usd(1'190'000);
  c.estimate.basis = Basis::kProfile;
  d.candidates = {c};
  const std::string text =
      R"({"v":1,"id":123,"ev":45,"job":44,"at":1753693702417000000,"ten":"default",)"
      R"("out":"placed","pool":1,"pol":"backstop","pv":3,"hash":18446744073709551615,)"
      R"("base":{"pool":2,"cost":6147778,"d":22000000000},)"
      R"("cand":[{"p":1,"v":"chosen","c":8388608,"pos":0,"est":true,)"
      R"("e":{"d":{"p50":24000000000,"p90":30000000000},"c":1190000,"b":"profile"}}]})";
  EXPECT_EQ(codec::Encode(d), text);
  EXPECT_EQ(*codec::Decode<Decision>(text), d);
}

TEST(StorageFormat, OfAWork) {
  Work w;
  w.name = "resize";
  w.run = {.command = {"convert", "in.png"}, .env = {{"LC_ALL", "C"}}, .cwd = "/srv"};
  w.needs.cpus = MilliCpus(2000);
  w.needs.runtime = *RuntimeNeed::Parse("cuda>=12");
  w.demand = ClassUnits{"image-resize", 120};
  w.objective.start_within = absl::Seconds(30);
  w.objective.deadline = absl::InfiniteFuture();
  w.alternatives.emplace_back().on.kind = {DeviceKind::kNpu};
  const std::string text =
      R"({"v":1,"name":"resize","run":{"command":["convert","in.png"],"env":{"LC_ALL":"C"},)"
      R"("cwd":"/srv"},"needs":{"cpus":2000,"runtime":"cuda>=12"},)"
      R"("demand":["class",{"class":"image-resize","units":120}],)"
      R"("objective":{"deadline":"inf","start_within":30000000000},)"
      R"("alternatives":[{"on":{"kind":["npu"]}}]})";
  EXPECT_EQ(codec::Encode(w), text);
  EXPECT_EQ(*codec::Decode<Work>(text), w);
}

TEST(StorageFormat, OfEachKindOfEvent) {
  const AttemptKey key{JobId{7}, 2};
  EXPECT_EQ(KindOf(event::AttemptEnded{}), "attempt_ended");
  EXPECT_EQ(EncodeEvent(event::AttemptEnded{.key = key, .fault = Fault::kOwn, .exit_code = 3}),
            R"({"v":1,"key":{"job":7,"n":2},"fault":"own","exit":3})");
  EXPECT_EQ(EncodeEvent(event::NodeSeen{.pool = PoolId{1}, .node = 4, .up = false}),
            R"({"v":1,"pool":1,"node":4,"up":false})");
  EXPECT_EQ(EncodeEvent(event::PoolStateSet{PoolId{0}, PoolState::kDraining}),
            R"({"v":1,"pool":0,"state":"draining"})");
  EXPECT_EQ(EncodeEvent(event::TimerFired{}), R"({"v":1})");
  EXPECT_EQ(KindOf(event::TimerFired{}), "timer_fired");
  EXPECT_EQ(KindOf(event::FileRead{}), "file_read");
}

// Sets of codes are stored as bits: the places of the enumerators are part of the format. New codes
// go to the end.
TEST(StorageFormat, OfCodesInASet) {
  constexpr std::array<std::string_view, 25> kPlaces{
      "cpus",         "memory",    "devices", "arch",     "runtime",  "precision", "feature",
      "confidential", "model",     "site",    "label",    "tenant",   "rule",      "down",
      "cordoned",     "draining",  "quota",   "reserved", "unpriced", "too_dear",  "too_late",
      "busy",         "outranked", "chosen",  "pinned"};
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    EXPECT_EQ(NameOf(CodeSet(1u << i).First()), kPlaces[i]);
  }
}

TEST(StorageFormat, KeysMayStandInAnyOrder) {
  const auto pool = codec::Decode<record::CountersRow>(R"({"v":1,"epoch":5,"event":9})");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(*pool, (record::CountersRow{.last_event = EventNumber{9}, .epoch = 5}));
}

// ---- Garbage ----

struct Garbage {
  std::string name, text, says;
};
class Refused : public testing::TestWithParam<Garbage> {};
TEST_P(Refused, WithThePlaceAndTheReason) {
  const auto job = codec::Decode<Job>(GetParam().text);
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(job.status()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    All, Refused,
    testing::Values(
        Garbage{"Empty", "", ""}, Garbage{"NoMap", "[1]", "does not begin with its version"},
        Garbage{"NoVersion", R"({"id":1})", "does not begin with its version"},
        Garbage{"NewerVersion", R"({"v":2,"id":1})", "format version 2, this program reads 1"},
        Garbage{"VersionIsText", R"({"v":"1"})", "format version"},
        Garbage{"UnknownKey", R"({"v":1,"idd":1})", "unknown key `idd`"},
        Garbage{"UnknownKeyInside", R"({"v":1,"plan":{"v":1}})", "/plan: unknown key `v`"},
        Garbage{"TwiceTheKey", R"({"v":1,"id":1,"id":2})", ""},
        Garbage{"NegativeId", R"({"v":1,"id":-1})", "/id: found a number, wanted an integer in"},
        Garbage{"IdTooLarge", R"({"v":1,"id":18446744073709551616})", "/id: "},
        Garbage{"IntTooLarge", R"({"v":1,"own":2147483648})", "/own: "},
        Garbage{"TextForNumber", R"({"v":1,"att":[{},{"pool":"a"}]})",
                "/att/1/pool: found a string"},
        Garbage{"UnknownName", R"({"v":1,"state":"sleeping"})", "/state: unknown name `sleeping`"},
        Garbage{"NumberForName", R"({"v":1,"state":1})", "/state: found"},
        Garbage{"NumberForBool", R"({"v":1,"cancel":1})", "/cancel: found"},
        Garbage{"BadTime", R"({"v":1,"created":"tomorrow"})", "/created: found a string"},
        Garbage{"BadPair", R"({"v":1,"created":[1,4000000000]})", "quarters"},
        Garbage{"RealTime", R"({"v":1,"created":1.5})", "/created: found"},
        Garbage{"OddHex", R"({"v":1,"msg":{"hex":"abc"}})", "/msg: an odd number"},
        Garbage{"BadHex", R"({"v":1,"msg":{"hex":"zz"}})", "/msg: not a hexadecimal digit"},
        Garbage{"MapForText", R"({"v":1,"msg":{"hax":"00"}})", "/msg: found a map"},
        Garbage{"MapForList", R"({"v":1,"att":{}})", "/att: found a map, wanted a list"},
        Garbage{"ListForMap", R"({"v":1,"plan":[]})", "/plan: found a list, wanted a map"}),
    [](const auto& row) { return row.param.name; });

TEST(Refused, PartsOfWork) {
  const auto message = [](const char* text) { return Message(codec::Decode<Work>(text).status()); };
  EXPECT_THAT(message(R"({"v":1,"demand":["wishes",{}]})"), HasSubstr("/demand: unknown name"));
  EXPECT_THAT(message(R"({"v":1,"demand":["class"]})"), HasSubstr("wanted a pair"));
  EXPECT_THAT(message(R"({"v":1,"demand":["unknown",1]})"), HasSubstr("/demand: something"));
  EXPECT_THAT(message(R"({"v":1,"demand":[]})"), HasSubstr("/demand: found a list"));
  EXPECT_THAT(message(R"({"v":1,"needs":{"runtime":">="}})"), HasSubstr("/needs/runtime: "));
  EXPECT_THAT(message(R"({"v":1,"needs":{"devices":{"fraction":"half"}}})"),
              HasSubstr("/needs/devices/fraction: found a string"));
  EXPECT_THAT(message(R"({"v":1,"labels":[["a"]]})"), HasSubstr("/labels: found a list"));
  EXPECT_THAT(message(R"({"v":1,"labels":{"a":1}})"), HasSubstr("/labels/a: found"));
}

TEST(Refused, BitsThatStandForNoCode) {
  const auto decision = codec::Decode<Decision>(R"({"v":1,"cand":[{"c":134217728}]})");
  EXPECT_THAT(Message(decision.status()), HasSubstr("/cand/0/c: bits that stand for no code"));
}

// ---- A member that the codec does not know is noticed: the count that its lists are held to ----

struct Before {
  int number = 1;
  std::optional<Quantiles> expected;
  Demand demand;
  Quantiles inside;
  std::map<std::string, Version> runtimes;
  std::vector<std::string> names;
  std::shared_ptr<const Work> work;
  absl::Time at = absl::InfiniteFuture();
};
struct Grown {
  int number = 1;
  std::optional<Quantiles> expected;
  Demand demand;
  Quantiles inside;
  std::map<std::string, Version> runtimes;
  std::vector<std::string> names;
  std::shared_ptr<const Work> work;
  absl::Time at = absl::InfiniteFuture();
  bool one_more = false;
};
TEST(MemberCount, NoticesOneMore) {
  EXPECT_EQ(kMemberCount<Before>, 8u);
  EXPECT_EQ(kMemberCount<Grown>, 9u);
  EXPECT_EQ(kMemberCount<event::TimerFired>, 0u);
  EXPECT_EQ(kMemberCount<Quantiles>, 2u);
}

}  // namespace
}  // namespace spillway
