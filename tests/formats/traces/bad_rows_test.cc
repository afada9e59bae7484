// What is wrong with a trace is told with its file, line and column, and with what is wanted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/formats/traces/trace_files.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::TraceText;

constexpr char kAzure[] = "arrival_s,prompt_tokens,output_tokens\n";
constexpr char kRaw[] = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
constexpr char kPods[] =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time,scheduled_time\n";
constexpr char kJobs[] = "arrival_s,kind,class,units,seconds,prompt_tokens\n";

struct BadText {
  std::string name;
  TraceFormat format;
  std::string text, says;
  friend void PrintTo(const BadText& row, std::ostream* out) { *out << row.name; }
};
class BadTraces : public testing::TestWithParam<BadText> {};
TEST_P(BadTraces, AreRefusedWithPlaceAndWhatIsWanted) {
  TraceText trace(GetParam().format, GetParam().text);
  const auto rows = trace.Read();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(trace.Message(rows.status()), GetParam().says);
  EXPECT_EQ(FindingsOf(rows.status()).size(), 1u);
}

const std::vector<BadText>& AllBadTexts() {
  using enum TraceFormat;
  static const auto& all = *new std::vector<BadText>{
      {"Empty", kAzureLlm, "", "trace.csv:1:1: is empty: wants a heading that names the columns"},
      {"HeadingMisspelt", kSpillwayCsv, "arrival_s,promt_tokens\n",
       "trace.csv:1:11: unknown column `promt_tokens` (did you mean `prompt_tokens`?)"},
      {"HeadingLacksAColumn", kAzureLlm, "arrival_s,prompt_tokens\n1,2\n",
       "trace.csv:1:1: the heading lacks the column `output_tokens`"},
      {"HeadingTwice", kSpillwayCsv, "arrival_s,arrival_s\n",
       "trace.csv:1:11: `arrival_s` stands here twice"},
      {"FieldMissing", kAzureLlm, std::string(kAzure) + "1,2\n",
       "trace.csv:2:1: has 2 fields, the heading has 3"},
      {"FieldEmpty", kAzureLlm, std::string(kAzure) + "1,2,3\n1,,3\n",
       "trace.csv:3:3: `prompt_tokens` is empty: wants a whole number from 0 to 10000000"},
      {"NoNumber", kAzureLlm, std::string(kAzure) + "1,2,many\n",
       "trace.csv:2:5: `output_tokens` is `many`: wants a whole number from 0 to 10000000"},
      {"Fraction", kAzureLlm, std::string(kAzure) + "1,2.5,3\n",
       "trace.csv:2:3: `prompt_tokens` is `2.5`: wants a whole number from 0 to 10000000"},
      {"TooMany", kAzureLlm, std::string(kAzure) + "1,2,10000001\n",
       "trace.csv:2:5: `output_tokens` is `10000001`: wants a whole number from 0 to 10000000"},
      {"NegativeTokens", kAzureLlm, std::string(kAzure) + "1,-2,3\n",
       "trace.csv:2:3: `prompt_tokens` is `-2`: wants a whole number from 0 to 10000000"},
      {"NegativeTime", kAzureLlm, std::string(kAzure) + "-1,2,3\n",
       "trace.csv:2:1: `arrival_s` is `-1`: wants seconds from 0 to 3162240000, like 12.5"},
      {"NoTime", kAzureLlm, std::string(kAzure) + "nan,2,3\n",
       "trace.csv:2:1: `arrival_s` is `nan`: wants seconds from 0 to 3162240000, like 12.5"},
      {"Unsorted", kAzureLlm, std::string(kAzure) + "2,2,3\n1.5,2,3\n",
       "trace.csv:3:1: its time lies 0.5 s before that of a row above: wants rows in the order of "
       "time"},
      {"RawNoSuchDay", kAzureLlmRaw, std::string(kRaw) + "2023-02-30 00:00:00,1,2\n",
       "trace.csv:2:1: `TIMESTAMP` is `2023-02-30 00:00:00`: wants a UTC time like 2023-11-16 "
       "18:17:03.9799600"},
      {"RawOtherZone", kAzureLlmRaw, std::string(kRaw) + "2023-02-03 00:00:00+02:00,1,2\n",
       "trace.csv:2:1: `TIMESTAMP` is `2023-02-03 00:00:00+02:00`: wants a UTC time like "
       "2023-11-16 18:17:03.9799600"},
      {"ControlCharacters", kAzureLlm, std::string(kAzure) + "1,\x1b[31m,3\n",
       "trace.csv:2:3: `prompt_tokens` is `?[31m`: wants a whole number from 0 to 10000000"},
      {"JsonBroken", kMooncake, "{\"timestamp\": 0,\n",
       "trace.csv:1:17: no JSON object: expected a string"},
      {"JsonNoObject", kMooncake, "[1]\n", "trace.csv:1:1: no JSON object: expected an object"},
      {"JsonUnknownKey", kMooncake, "{\"timestmp\": 0}\n",
       "trace.csv:1:13: unknown key `timestmp` (did you mean `timestamp`?)"},
      {"JsonKeyTwice", kMooncake, "{\"timestamp\": 0, \"timestamp\": 1}\n",
       "trace.csv:1:15: the key `timestamp` stands here twice"},
      {"JsonLacksAKey", kMooncake,
       R"({"timestamp": 0, "input_length": 1, "hash_ids": []})"
       "\n",
       "trace.csv:1:1: lacks the key `output_length`"},
      {"JsonBadId", kMooncake,
       R"({"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [3, -1]})"
       "\n",
       "trace.csv:1:73: `hash_ids` is `-1`: wants a whole number from 0 to 4611686018427387904"},
      {"PodEndsBeforeItBegins", kOpenB, std::string(kPods) + "p,1000,1,0,0,5,4,\n",
       "trace.csv:2:1: wants creation_time <= scheduled_time <= deletion_time"},
      {"PodOverAGpu", kOpenB, std::string(kPods) + "p,1000,1,1,1001,5,6,\n",
       "trace.csv:2:12: `gpu_milli` is `1001`: wants a whole number from 0 to 1000"},
      {"UnknownKind", kSpillwayCsv, std::string(kJobs) + "1,task,,,5,\n",
       "trace.csv:2:3: `kind` is `task`: wants `request` or `job`"},
      {"JobOfNoLength", kSpillwayCsv, std::string(kJobs) + "1,job,,,,\n",
       "trace.csv:2:1: a job wants either `seconds` or `class` and `units`"},
      {"JobOfTwoLengths", kSpillwayCsv, std::string(kJobs) + "1,job,resize,3,5,\n",
       "trace.csv:2:1: a job wants either `seconds` or `class` and `units`"},
      {"ClassWithoutUnits", kSpillwayCsv, std::string(kJobs) + "1,job,resize,,,\n",
       "trace.csv:2:1: `class` and `units` belong together"},
      {"RequestOfSeconds", kSpillwayCsv, std::string(kJobs) + "1,request,,,5,1\n",
       "trace.csv:2:1: `seconds`, `class` and `units` are for jobs: `kind` is `request`"},
      {"JobOfTokens", kSpillwayCsv, std::string(kJobs) + "1,job,,,5,1\n",
       "trace.csv:2:1: tokens are for requests: `kind` is `job`"},
      {"UnitsOfNothing", kSpillwayCsv, std::string(kJobs) + "1,job,resize,0,,\n",
       "trace.csv:2:14: `units` is `0`: wants a number, more than 0, up to 1e15"},
  };
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, BadTraces, testing::ValuesIn(AllBadTexts()),
                         [](const auto& row) { return row.param.name; });

TEST(BadRows, AreSkippedAsFarAsIsAllowed) {
  const std::string text = std::string(kAzure) + "0,1,1\n1,x,1\n2,3,1\n1,4,1\n5,6,1\n";
  TraceText trace(TraceFormat::kAzureLlm, text);
  trace.spec().skip_bad_rows = 2;
  const auto rows = trace.Read();
  ASSERT_TRUE(rows.ok()) << rows.status();
  std::vector<std::int64_t> prompts;
  for (const TraceRow& row : *rows) prompts.push_back(row.prompt_tokens);
  EXPECT_THAT(prompts, ElementsAre(1, 3, 6));
  EXPECT_EQ(trace.report().bad, 2);
  EXPECT_THAT(trace.report().bad_rows,
              ElementsAre(HasSubstr("trace.csv:3:3: `prompt_tokens` is `x`"),
                          HasSubstr("trace.csv:5:1: its time lies 1 s before")));
}

TEST(BadRows, OneMoreThanAllowedEndsTheReading) {
  TraceText trace(TraceFormat::kAzureLlm, std::string(kAzure) + "0,x,1\n1,y,1\n2,3,1\n");
  trace.spec().skip_bad_rows = 1;
  const auto rows = trace.Read();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(trace.Message(rows.status()),
            "trace.csv:3:3: `prompt_tokens` is `y`: wants a whole number from 0 to 10000000\n"
            "trace.csv:3:1: this is one bad row more than the 1 that may be skipped");
}

TEST(BadRows, ABadHeadingIsNeverSkipped) {
  TraceText trace(TraceFormat::kAzureLlm, "time\n0\n");
  trace.spec().skip_bad_rows = 100;
  EXPECT_FALSE(trace.Read().ok());
}

TEST(BadRows, OnlyTheFirstTwentyAreKept) {
  std::string text = kAzure;
  for (int i = 0; i < 50; ++i) text += "x,1,1\n";
  TraceText trace(TraceFormat::kAzureLlm, text);
  trace.spec().skip_bad_rows = 50;
  ASSERT_TRUE(trace.Read().ok());
  EXPECT_EQ(trace.report().bad, 50);
  EXPECT_EQ(trace.report().bad_rows.size(), 20u);
}

TEST(BadTrace, AClusterThatIsNotThereIsNamed) {
  TraceText trace(TraceFormat::kGavel,
                  "virtual_cluster,job_type,total_steps,arrival_s,num_workers\nvc1,A3C,5,0,1\n");
  trace.spec().clusters = {"vc2"};
  const auto rows = trace.Read();
  EXPECT_EQ(trace.Message(rows.status()),
            "trace.csv: no row is of the virtual cluster `vc2` (did you mean `vc1`?)");
}

TEST(BadTrace, OrderIsAskedOfEachClusterAlone) {
  TraceText trace(TraceFormat::kGavel,
                  "virtual_cluster,job_type,total_steps,arrival_s,num_workers\n"
                  "a,A3C,5,7,1\nb,A3C,5,0,1\nb,A3C,5,9,1\na,A3C,5,6,1\n");
  EXPECT_THAT(trace.Message(trace.Read().status()), HasSubstr("trace.csv:5:1: its time lies 1 s"));
}

}  // namespace
}  // namespace spillway
