#include "cli/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "formats/document.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPools = R"({"data":[
  {"name":"xeon","state":"active","vendor":"intel","billing":"committed","nodes":2,"nodes_up":2,"price":{"as_of":"2026-11-01"}},
  {"name":"a10","state":"active","vendor":"nvidia","billing":"metered","nodes":1,"nodes_up":1,"price":{"as_of":"2026-11-01"}}]})";
constexpr const char* kMetrics = R"(# HELP spillway_config_last_reload_successful x
spillway_config_last_reload_successful 1
spillway_endpoint_up{pool="a10",endpoint="a10/0"} 1
spillway_queue_depth{class="job"} 0
spillway_queue_oldest_age_seconds{class="job"} 0
spillway_store_commit_duration_seconds_count 100
spillway_store_commit_duration_seconds_sum 0.5
spillway_buffer_used{buffer="streams"} 3
spillway_buffer_bound{buffer="streams"} 256
spillway_series_dropped_total{label="tenant"} 0
)";

std::vector<Finding> Of(std::string_view pools, std::string metrics) {
  Patient patient;
  patient.pools = ParseJson(pools).value();
  patient.metrics = std::move(metrics);
  patient.now = absl::FromCivil(absl::CivilDay(2026, 11, 23), absl::UTCTimeZone());
  return Diagnose(patient);
}
// With one thing in the healthy patient changed.
std::vector<Finding> After(std::string_view pools_or_metrics, std::string_view from,
                           std::string_view to) {
  std::string pools = kPools, metrics = kMetrics;
  std::string& text = pools_or_metrics == "pools" ? pools : metrics;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return Of(pools, metrics);
}
auto Says(Health health, const std::string& words) {
  return Contains(AllOf(Field(&Finding::health, health), Field(&Finding::what, HasSubstr(words)),
                        Field(&Finding::remedy, Not(testing::IsEmpty()))));
}

TEST(Diagnose, FindsNothingInAHealthyOne) {
  const auto findings = Of(kPools, kMetrics);
  EXPECT_THAT(findings, Each(Field(&Finding::health, Health::kGood)));
  EXPECT_GE(findings.size(), 6u) << "it says what it looked at";
}

TEST(Diagnose, SaysNothingAboutWhatWasNotAnswered) {
  const auto findings = Of(kPools, "");
  EXPECT_EQ(findings.size(), 2u);
}

TEST(Diagnose, FindsEachIllness) {
  EXPECT_THAT(After("metrics", "successful 1", "successful 0"),
              Says(Health::kBad, "last reload failed"));
  EXPECT_THAT(After("pools", R"("state":"active")", R"("state":"down")"),
              Says(Health::kBad, "down: xeon"));
  EXPECT_THAT(After("pools", R"("state":"active")", R"("state":"drained")"),
              Says(Health::kCare, "xeon (drained)"));
  EXPECT_THAT(After("pools", R"("nodes_up":2)", R"("nodes_up":1)"),
              Says(Health::kCare, "xeon (1 of 2)"));
  EXPECT_THAT(After("pools", R"("vendor":"nvidia")", R"("vendor":"amd")"),
              Says(Health::kCare, "NVIDIA"));
  EXPECT_THAT(After("pools", R"("billing":"metered")", R"("billing":"unpriced")"),
              Says(Health::kCare, "without a price: a10"));
  EXPECT_THAT(After("pools", "2026-11-01", "2026-01-01"),
              Says(Health::kCare, "older than 90 days: xeon"));
  EXPECT_THAT(After("metrics", R"(endpoint="a10/0"} 1)", R"(endpoint="a10/0"} 0)"),
              Says(Health::kBad, "a10/0"));
  EXPECT_THAT(After("metrics", R"(age_seconds{class="job"} 0)", R"(age_seconds{class="job"} 4000)"),
              Says(Health::kCare, "wait, the oldest"));
  EXPECT_THAT(After("metrics", "sum 0.5", "sum 30"), Says(Health::kCare, "300 ms"));
  EXPECT_THAT(After("metrics", R"(used{buffer="streams"} 3)", R"(used{buffer="streams"} 250)"),
              Says(Health::kCare, "streams (250 of 256)"));
  EXPECT_THAT(After("metrics", R"({label="tenant"} 0)", R"({label="tenant"} 9)"),
              Says(Health::kCare, "too many values of: tenant"));
  EXPECT_THAT(Of(R"({"data":[]})", kMetrics), Says(Health::kBad, "no pools"));
}

TEST(Diagnose, NamesAFewOfMany) {
  std::string pools =
      R"({"data":[{"name":"a10","vendor":"nvidia","state":"active","nodes":1,"nodes_up":1})";
  for (int i = 0; i < 9; ++i) absl::StrAppend(&pools, R"(,{"name":"p)", i, R"(","state":"down"})");
  EXPECT_THAT(Of(pools + "]}", ""), Says(Health::kBad, "p0, p1, p2, p3, p4 and 4 more"));
}

TEST(SamplesOf, ReadsLabelsAndOnlyThatMetric) {
  const auto samples =
      SamplesOf("a_total 1\na{x=\"1\"} 2\na{x=\"b}\\\"c\",y=\"d\"} 3.5\n# a 4\n", "a");
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].value, 3.5);
  EXPECT_EQ(LabelIn(samples[1].labels, "x"), "b}\"c");
  EXPECT_EQ(LabelIn(samples[1].labels, "y"), "d");
  EXPECT_EQ(LabelIn(R"(xy="1",y="2")", "y"), "2");
  EXPECT_EQ(LabelIn(R"(xy="1")", "y"), "");
}

}  // namespace
}  // namespace spillway::cli
