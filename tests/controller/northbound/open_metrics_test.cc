#include "controller/northbound/open_metrics.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(WantsOpenMetrics, WhereItIsNamedAndNotLessThanPlainText) {
  for (const char* accept :
       {"application/openmetrics-text", "application/openmetrics-text; version=1.0.0",
        "Application/OpenMetrics-Text;version=\"1.0.0\";charset=utf-8",
        // As Prometheus 2.42 asks.
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain, application/openmetrics-text"}) {
    EXPECT_TRUE(WantsOpenMetrics(accept)) << accept;
  }
  for (const char* accept :
       {"", "*/*", "text/plain", "text/html,application/xml;q=0.9,*/*;q=0.8",
        "application/openmetrics-text;q=0", "application/openmetrics-text;q=nonsense",
        "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=2.0.0",
        "text/plain,application/openmetrics-text;q=0.9",
        ";;,,;q=", "application/openmetrics-textual"}) {
    EXPECT_FALSE(WantsOpenMetrics(accept)) << accept;
  }
}

TEST(OpenMetricsOf, NamesFamiliesAndBoundsItsOwnWay) {
  EXPECT_EQ(OpenMetricsOf("# HELP a_jobs_total Jobs, \"all\" of them.\n"
                          "# TYPE a_jobs_total counter\n"
                          "a_jobs_total{pool=\"x_bucket{le=\\\"1\\\"}\"} 3\n"
                          "# HELP a_wait_seconds How long.\n"
                          "# TYPE a_wait_seconds histogram\n"
                          "a_wait_seconds_count 2\n"
                          "a_wait_seconds_sum 0.5\n"
                          "a_wait_seconds_bucket{pool=\"le=\",le=\"0.25\"} 1\n"
                          "a_wait_seconds_bucket{pool=\"p\",le=\"10\"} 2\n"
                          "a_wait_seconds_bucket{le=\"1e-06\"} 0\n"
                          "a_wait_seconds_bucket{le=\"+Inf\"} 2\n"
                          "# HELP a_total_depth Not one.\n"
                          "# TYPE a_total_depth gauge\n"
                          "a_total_depth 1\n"),
            "# HELP a_jobs Jobs, \\\"all\\\" of them.\n"
            "# TYPE a_jobs counter\n"
            "a_jobs_total{pool=\"x_bucket{le=\\\"1\\\"}\"} 3\n"
            "# HELP a_wait_seconds How long.\n"
            "# TYPE a_wait_seconds histogram\n"
            "a_wait_seconds_count 2\n"
            "a_wait_seconds_sum 0.5\n"
            "a_wait_seconds_bucket{pool=\"le=\",le=\"0.25\"} 1\n"
            "a_wait_seconds_bucket{pool=\"p\",le=\"10.0\"} 2\n"
            "a_wait_seconds_bucket{le=\"1e-06\"} 0\n"
            "a_wait_seconds_bucket{le=\"+Inf\"} 2\n"
            "# HELP a_total_depth Not one.\n"
            "# TYPE a_total_depth gauge\n"
            "a_total_depth 1\n"
            "# EOF\n");
  EXPECT_EQ(OpenMetricsOf(""), "# EOF\n");
  EXPECT_EQ(OpenMetricsOf("a 1"), "a 1\n# EOF\n");
}

}  // namespace
}  // namespace spillway
