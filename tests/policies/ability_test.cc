#include "policies/ability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "core/explain.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::GiB;
using fixtures::JobNeeding;
using fixtures::JobNeedingDevices;
using fixtures::SmallJob;

Ability Ask(const Work& work, const PoolSpec& pool) {
  return AbilityOf(work, FaceFor(work, pool), pool);
}
std::vector<Code> CodesOf(const Ability& ability) {
  std::vector<Code> codes;
  ability.codes.ForEach([&](Code code) { codes.push_back(code); });
  return codes;
}

// One thing is changed in work or pool; what must the pool answer?
struct Case {
  std::string name;
  std::function<void(Work&, PoolSpec&)> change;
  std::vector<Code> refused_because = {};  // empty: able
  Figures figures = {};
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};
std::string NameOfCase(const testing::TestParamInfo<Case>& info) { return info.param.name; }

// A small job and a rented Xeon that is able to do it.
class OnXeon : public testing::TestWithParam<Case> {};
TEST_P(OnXeon, AnswersWithCodesAndFigures) {
  Work work = SmallJob();
  PoolSpec pool = fixtures::XeonAmxPool();
  ASSERT_TRUE(Ask(work, pool).able());
  GetParam().change(work, pool);
  const Ability ability = Ask(work, pool);
  EXPECT_EQ(CodesOf(ability), GetParam().refused_because);
  EXPECT_EQ(ability.figures, GetParam().figures);
}

INSTANTIATE_TEST_SUITE_P(
    Resources, OnXeon,
    testing::Values(Case{"AllCpus", [](Work& w, PoolSpec&) { w.needs.cpus = Cpus(16); }},
                    Case{"OneMilliCpuTooMany",
                         [](Work& w, PoolSpec&) { w.needs.cpus = MilliCpus(16'001); },
                         {Code::kCpus},
                         {.found = 16'000, .wanted = 16'001}},
                    Case{"AllMemory", [](Work& w, PoolSpec&) { w.needs.memory = GiB(32); }},
                    Case{"OneByteTooMany",
                         [](Work& w, PoolSpec&) { w.needs.memory = GiB(32) + Bytes(1); },
                         {Code::kMemory},
                         {.found = GiB(32).value(), .wanted = GiB(32).value() + 1}},
                    Case{"WantsADevice",
                         [](Work& w, PoolSpec&) { w.needs.devices.count = 1; },
                         {Code::kDevices},
                         {.found = 0, .wanted = 1}},
                    Case{"GangOfAllNodes", [](Work& w, PoolSpec&) { w.needs.nodes = 4; }},
                    Case{"GangTooLarge",
                         [](Work& w, PoolSpec&) {
                           w.needs.nodes = 5;
                           w.needs.cpus = Cpus(2);
                         },
                         {Code::kCpus},
                         {.found = 8'000, .wanted = 10'000}},
                    Case{"FiguresAreOfTheFirstCode",
                         [](Work& w, PoolSpec&) {
                           w.needs.memory = GiB(64);
                           w.needs.devices.count = 2;
                         },
                         {Code::kMemory, Code::kDevices},
                         {.found = GiB(32).value(), .wanted = GiB(64).value()}}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Software, OnXeon,
    testing::Values(
        Case{"ItsArch", [](Work& w, PoolSpec&) { w.needs.arch = Arch::kX86_64; }},
        Case{"AnotherArch", [](Work& w, PoolSpec&) { w.needs.arch = Arch::kArm64; }, {Code::kArch}},
        Case{"ARuntimeItHas",
             [](Work& w, PoolSpec&) { w.needs.runtime = fixtures::Runtime("openvino>=2024.4"); }},
        Case{"ALaterVersion",
             [](Work& w, PoolSpec&) { w.needs.runtime = fixtures::Runtime("openvino>2024.4"); },
             {Code::kRuntime}},
        Case{"ARuntimeItLacks",
             [](Work& w, PoolSpec&) { w.needs.runtime = fixtures::Runtime("cuda"); },
             {Code::kRuntime}},
        Case{"PlainProgramsNeedNone",
             [](Work&, PoolSpec& p) { p.runtimes.erase("none"); },
             {Code::kRuntime}},
        Case{"AllPrecisions",
             [](Work& w, PoolSpec&) {
               w.needs.precision = {Precision::kBf16, Precision::kInt8};
             }},
        Case{"OnePrecisionShort",
             [](Work& w, PoolSpec&) {
               w.needs.precision = {Precision::kBf16, Precision::kFp8};
             },
             {Code::kPrecision}},
        Case{"AllFeatures",
             [](Work& w, PoolSpec&) {
               w.needs.features = {"amx", "avx2"};
             }},
        Case{"OneFeatureShort",
             [](Work& w, PoolSpec&) {
               w.needs.features = {"amx", "sve"};
             },
             {Code::kFeature}},
        Case{"ConfidentialAmongFeatures", [](Work& w, PoolSpec&) { w.needs.confidential = "tdx"; }},
        Case{"ConfidentialByItsList",
             [](Work& w, PoolSpec& p) {
               w.needs.confidential = "sev-snp";
               p.confidential = {"sev-snp"};
             }},
        Case{"NotConfidential",
             [](Work& w, PoolSpec&) { w.needs.confidential = "sev-snp"; },
             {Code::kConfidential}}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    WhatAndWhere, OnXeon,
    testing::Values(
        Case{"UnrestrictedModels", [](Work& w, PoolSpec&) { w.needs.model = "qwen2-7b"; }},
        Case{"ServedModel",
             [](Work& w, PoolSpec& p) {
               w.needs.model = "qwen2-7b";
               p.models = {"bge-m3", "qwen2-7b"};
             }},
        Case{"ModelNotServed",
             [](Work& w, PoolSpec& p) {
               w.needs.model = "qwen2-7b";
               p.models = {"bge-m3"};
             },
             {Code::kModel}},
        Case{"ModelsDoNotMatterToAJobThatNamesNone",
             [](Work&, PoolSpec& p) { p.models = {"bge-m3"}; }},
        Case{"ItsClass",
             [](Work& w, PoolSpec& p) {
               w.demand = ClassUnits{"image-resize", 1};
               p.classes = {"image-resize"};
             }},
        Case{"AnotherClass",
             [](Work& w, PoolSpec& p) {
               w.demand = ClassUnits{"transcribe", 1};
               p.classes = {"image-resize"};
             },
             {Code::kModel}},
        Case{"NoClassWhereClassesAreListed",
             [](Work&, PoolSpec& p) { p.classes = {"image-resize"}; },
             {Code::kModel}},
        Case{"OneOfItsSites",
             [](Work& w, PoolSpec&) {
               w.needs.sites = {"office", "cloud-a"};
             }},
        Case{"AnotherSite", [](Work& w, PoolSpec&) { w.needs.sites = {"office"}; }, {Code::kSite}},
        Case{"AllLabels",
             [](Work& w, PoolSpec& p) {
               w.needs.labels = {{"rack", "r1"}};
               p.labels = {{"rack", "r1"}, {"row", "7"}};
             }},
        Case{"OneLabelShort",
             [](Work& w, PoolSpec& p) {
               w.needs.labels = {{"rack", "r1"}, {"disk", "nvme"}};
               p.labels = {{"rack", "r1"}};
             },
             {Code::kLabel}},
        Case{"LabelOfAnotherValue",
             [](Work& w, PoolSpec& p) {
               w.needs.labels = {{"rack", "r1"}};
               p.labels = {{"rack", "r2"}};
             },
             {Code::kLabel}},
        Case{"AvoidedLabel",
             [](Work& w, PoolSpec& p) {
               w.needs.avoid = {{"noisy", "yes"}, {"rack", "r2"}};
               p.labels = {{"rack", "r2"}};
             },
             {Code::kLabel}},
        Case{"AvoidedValueElsewhere",
             [](Work& w, PoolSpec& p) {
               w.needs.avoid = {{"rack", "r2"}};
               p.labels = {{"rack", "r1"}};
             }},
        Case{"ItsTenant",
             [](Work&, PoolSpec& p) {
               p.tenants = {"acme", "default"};
             }},
        Case{"AnotherTenant", [](Work&, PoolSpec& p) { p.tenants = {"acme"}; }, {Code::kTenant}}),
    NameOfCase);

// A CUDA job and an A10 that is able to do it.
class OnA10 : public testing::TestWithParam<Case> {};
TEST_P(OnA10, AnswersWithCodesAndFigures) {
  Work work = JobNeedingDevices(1, "cuda>=12");
  PoolSpec pool = fixtures::A10Pool();
  ASSERT_TRUE(Ask(work, pool).able());
  GetParam().change(work, pool);
  const Ability ability = Ask(work, pool);
  EXPECT_EQ(CodesOf(ability), GetParam().refused_because);
  EXPECT_EQ(ability.figures, GetParam().figures);
}

INSTANTIATE_TEST_SUITE_P(
    Devices, OnA10,
    testing::Values(Case{"ItsKindVendorAndModel",
                         [](Work& w, PoolSpec&) {
                           w.needs.devices.kind = DeviceKind::kGpu;
                           w.needs.devices.vendor = "nvidia";
                           w.needs.devices.model = "nvidia-a10g-24g";
                         }},
                    Case{"AnotherKind",
                         [](Work& w, PoolSpec&) { w.needs.devices.kind = DeviceKind::kNpu; },
                         {Code::kDevices},
                         {.found = 1, .wanted = 1}},
                    Case{"AnotherVendor",
                         [](Work& w, PoolSpec&) { w.needs.devices.vendor = "amd"; },
                         {Code::kDevices},
                         {.found = 1, .wanted = 1}},
                    Case{"AnotherModel",
                         [](Work& w, PoolSpec&) { w.needs.devices.model = "nvidia-l4-24g"; },
                         {Code::kDevices},
                         {.found = 1, .wanted = 1}},
                    Case{"CountIsPerNode",
                         [](Work& w, PoolSpec&) { w.needs.devices.count = 2; },
                         {Code::kDevices},
                         {.found = 1, .wanted = 2}},
                    Case{"AllDeviceMemory",
                         [](Work& w, PoolSpec&) { w.needs.devices.memory = GiB(24); }},
                    Case{"TooMuchDeviceMemory",
                         [](Work& w, PoolSpec&) { w.needs.devices.memory = GiB(25); },
                         {Code::kDevices},
                         {.found = GiB(24).value(), .wanted = GiB(25).value()}},
                    Case{"MemoryOfHalfADevice",
                         [](Work& w, PoolSpec&) {
                           w.needs.devices.memory = GiB(12);
                           w.needs.devices.fraction = 0.5;
                         }},
                    Case{"TooMuchForHalfADevice",
                         [](Work& w, PoolSpec&) {
                           w.needs.devices.memory = GiB(13);
                           w.needs.devices.fraction = 0.5;
                         },
                         {Code::kDevices},
                         {.found = GiB(12).value(), .wanted = GiB(13).value()}},
                    Case{"GangOfTwoNodes", [](Work& w, PoolSpec&) { w.needs.nodes = 2; }},
                    Case{"GangTooLargeSaysDevices",
                         [](Work& w, PoolSpec&) { w.needs.nodes = 3; },
                         {Code::kDevices},
                         {.found = 2, .wanted = 3}},
                    Case{"NoDeviceAskedFor",
                         [](Work& w, PoolSpec&) { w.needs.devices.count = 0; },
                         {Code::kDevices},
                         {.found = 1, .wanted = 0}},
                    Case{"NoDeviceAskedForWhereCpusHaveAPrice",
                         [](Work& w, PoolSpec& p) {
                           w.needs.devices.count = 0;
                           p.weights = {.cpus = 0.2, .devices = 0.8};
                         }}),
    NameOfCase);

Work Request() {
  Work work = fixtures::RequestFor("qwen2-7b");
  work.needs.cpus = Cpus(1000);
  work.needs.memory = GiB(10'000);
  return work;
}

TEST(RequestAbility, AsksForNoNodeSinceTheEngineHoldsIt) {
  PoolSpec pool = fixtures::A10Pool();
  pool.models = {"qwen2-7b"};
  EXPECT_TRUE(Ask(Request(), pool).able());
}
TEST(RequestAbility, NeedsAPoolThatSaysItServesTheModel) {
  EXPECT_EQ(CodesOf(Ask(Request(), fixtures::A10Pool())), std::vector{Code::kModel});
}
TEST(RequestAbility, IsNotRestrictedByClassesOfJobs) {
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.models = {"qwen2-7b"};
  pool.classes = {"image-resize"};
  EXPECT_TRUE(Ask(Request(), pool).able());
}
TEST(RequestAbility, MayNameTheSortOfDevice) {
  PoolSpec pool = fixtures::A10Pool();
  pool.models = {"qwen2-7b"};
  Work work = Request();
  work.needs.devices.vendor = "amd";
  EXPECT_EQ(CodesOf(Ask(work, pool)), std::vector{Code::kDevices});
}
TEST(ServiceAbility, MayBringItsModelToAnUnrestrictedPool) {
  Work work = JobNeedingDevices(1, "cuda>=12");
  work.kind = WorkKind::kService;
  work.needs.model = "qwen2-7b";
  EXPECT_TRUE(Ask(work, fixtures::A10Pool()).able());
}

// What the whole demo fleet says to the two sorts of work that people send most.
std::map<std::string, std::vector<Code>> AskAll(const Work& work) {
  std::map<std::string, std::vector<Code>> answers;
  for (const PoolSpec& pool : fixtures::DemoFleet().pools)
    answers[pool.name] = CodesOf(Ask(work, pool));
  return answers;
}

TEST(Ability, OfTheDemoFleetForAPlainProgramOfTwelveGibibytes) {
  EXPECT_THAT(AskAll(JobNeeding(Cpus(2), GiB(12))),
              testing::ElementsAre(
                  testing::Pair("a10", testing::ElementsAre(Code::kDevices, Code::kRuntime)),
                  testing::Pair("edge-npu", testing::ElementsAre(Code::kMemory, Code::kDevices)),
                  testing::Pair("gaudi2", testing::ElementsAre(Code::kDevices, Code::kRuntime)),
                  testing::Pair("local", testing::IsEmpty()),
                  testing::Pair("xeon-amx", testing::IsEmpty())));
}

TEST(Ability, IsAskedOfTheFaceThatTheWorkShowsToThePool) {
  EXPECT_THAT(AskAll(fixtures::PortableJob()),
              testing::ElementsAre(testing::Pair("a10", testing::IsEmpty()),
                                   testing::Pair("edge-npu", testing::ElementsAre(Code::kDevices)),
                                   testing::Pair("gaudi2", testing::IsEmpty()),
                                   testing::Pair("local", testing::IsEmpty()),
                                   testing::Pair("xeon-amx", testing::IsEmpty())));
}

TEST(Ability, NamesEveryReasonAtOnce) {
  Work work = JobNeedingDevices(1, "cuda");
  work.needs.cpus = Cpus(64);
  work.needs.memory = GiB(512);
  work.needs.arch = Arch::kArm64;
  work.needs.precision = {Precision::kInt4};
  work.needs.features = {"sve"};
  work.needs.confidential = "sev-snp";
  work.needs.model = "qwen2-7b";
  work.needs.sites = {"moon"};
  work.needs.labels = {{"rack", "r1"}};
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.models = std::vector<std::string>();
  pool.tenants = {"acme"};
  CodeSet all;
  for (auto code = 0; code < static_cast<int>(Code::kRule); ++code)
    all.Add(static_cast<Code>(code));
  EXPECT_EQ(Ask(work, pool).codes, all);
}

// The words that people read must be about what was really short.
std::string WordsFor(const Work& work, const PoolSpec& pool) {
  const Ability ability = Ask(work, pool);
  const Candidate candidate{.pool = PoolId(0), .codes = ability.codes, .figures = ability.figures};
  return ability.able() ? "able" : Explain(candidate, work, pool);
}
// Whatever its nodes are said to be: nobody could launch a job there.
TEST(Ability, EnginesOfOthersRunNoJobs) {
  PoolSpec engines = fixtures::EdgeNpuPool();
  engines.runtimes = {{"none", fixtures::V("1")}};
  Work job = JobNeeding(Cpus(1), GiB(1));
  engines.weights = {.cpus = 1};
  ASSERT_TRUE(Ask(job, engines).able());
  engines.adapter.type = "openai";
  EXPECT_EQ(CodesOf(Ask(job, engines)), std::vector<Code>{Code::kRuntime});
  job.needs.cpus = Cpus(1000);
  EXPECT_EQ(CodesOf(Ask(job, engines)), std::vector<Code>{Code::kRuntime})
      << "what its nodes lack says nothing";
  job.kind = WorkKind::kService;
  EXPECT_FALSE(Ask(job, engines).able());
  Work request;
  request.kind = WorkKind::kRequest;
  EXPECT_TRUE(Ask(request, engines).able());
}

TEST(Ability, IsExplainedByWhatWasShort) {
  Work gang = SmallJob();
  gang.needs.nodes = 5;
  EXPECT_EQ(WordsFor(gang, fixtures::XeonAmxPool()), "needs 5 nodes at once, the pool has 4");
  gang = JobNeedingDevices(1, "cuda");
  gang.needs.nodes = 3;
  EXPECT_EQ(WordsFor(gang, fixtures::A10Pool()), "needs 3 nodes at once, the pool has 2");
  Work half = JobNeedingDevices(1, "cuda");
  half.needs.devices.memory = GiB(13);
  half.needs.devices.fraction = 0.5;
  EXPECT_EQ(WordsFor(half, fixtures::A10Pool()),
            "needs 13 GiB on a device, its part of one has 12 GiB");
  EXPECT_EQ(WordsFor(JobNeeding(Cpus(17), GiB(1)), fixtures::XeonAmxPool()),
            "needs 17 CPUs, a node has 16 CPUs");
  EXPECT_EQ(WordsFor(JobNeedingDevices(2, "cuda"), fixtures::A10Pool()),
            "needs 2 devices on a node, a node has 1");
}

}  // namespace
}  // namespace spillway
