#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "formats/traces/servegen.h"
#include "tests/simulator/workloads/pulled.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace): its own

PartSpec DeepSeek() {
  PartSpec part = TracePartOf(TraceFormat::kServeGen, "servegen_deepseek_r1_first6h_rate.csv");
  std::get<TraceSpec>(part.arrivals).lengths =
      TraceFile("servegen_deepseek_r1_first6h_lengths.csv");
  return part;
}

// Requests that the published rates promise between two instants (ns).
double Promised(const PartSpec& part, std::int64_t from, std::int64_t to) {
  const auto read = ReadServeGen(std::get<TraceSpec>(part.arrivals));
  EXPECT_TRUE(read.ok());
  double sum = 0;
  for (const ServeGenClient& client : read->clients) {
    for (const ClientRate& rate : client.rates) {
      const std::int64_t begin = std::max(rate.begin, from),
                         end = std::min(rate.begin + kServeGenWindow, to);
      if (begin < end) sum += rate.rate * static_cast<double>(end - begin) / 1e9;
    }
  }
  return sum;
}

// Over seeds the mean count is what the rates say, in any window of time, though single runs differ
// widely: some clients ask in bursts (cv 6).
TEST(ServeGenClients, AskAsOftenAsTheirRatesSay) {
  PartSpec part = DeepSeek();
  std::get<TraceSpec>(part.arrivals).from = absl::Hours(3);
  part.lasts = absl::Minutes(30);
  const Workload workload = LoadOrDie({part});
  std::vector<double> counts;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto all = PullAll(workload, seed);
    EXPECT_TRUE(InOrder(all)) << "seed " << seed;
    counts.push_back(static_cast<double>(all.size()));
  }
  const Moments m = MomentsOf(counts);
  const double promised = Promised(part, 10'800 * kSecond, 12'600 * kSecond);
  EXPECT_GT(promised, 1000);
  EXPECT_NEAR(m.mean, promised, 4 * std::sqrt(m.variance / 40));
}

TEST(ServeGenClients, RateMultipliesTheirs) {
  PartSpec part = DeepSeek();
  TraceSpec& trace = std::get<TraceSpec>(part.arrivals);
  trace.from = absl::Hours(3);
  part.lasts = absl::Minutes(30);
  double once = 0, twice = 0;
  const Workload plain = LoadOrDie({part});
  trace.rate = 2;
  const Workload doubled = LoadOrDie({part});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    once += static_cast<double>(PullAll(plain, seed).size());
    twice += static_cast<double>(PullAll(doubled, seed).size());
  }
  EXPECT_NEAR(twice / once, 2, 0.1);
}

TEST(ServeGenClients, AskAtTheLengthsOfTheirWindow) {
  TemporaryFolder folder;
  PartSpec part = DeepSeek();
  TraceSpec& trace = std::get<TraceSpec>(part.arrivals);
  trace.file = folder.Of("rates.csv");
  trace.lengths = folder.Of("lengths.csv");
  std::ofstream(trace.file) << "client,t_s,rate_rps,iat_cv,iat_dist,dist_p1,dist_p2\n"
                               "1,0,10,1,Gamma,1,1\n1,600,10,1,Weibull,0.5,1\n";
  std::ofstream(trace.lengths)
      << "client,window_start_s,field,mean,p01,p05,p10,p25,p50,p75,p90,p95,p99\n"
         "1,0,input_tokens,0,10,10,10,10,10,20,20,20,20\n"
         "1,0,output_tokens,0,0,0,0,0,0,0,0,0,0\n"
         "1,600,input_tokens,0,99,99,99,99,99,99,99,99,99\n"
         "1,600,output_tokens,0,7,7,7,7,7,7,7,7,7\n";
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 1);
  std::vector<double> first;
  double second = 0;
  for (const Arrival& arrival : all) {
    if (arrival.at < 600 * kSecond) {
      first.push_back(static_cast<double>(arrival.prompt_tokens));
      EXPECT_EQ(arrival.truth.output_tokens, 1) << "an answer has a token";
    } else {
      EXPECT_EQ(arrival.prompt_tokens, 99);
      EXPECT_EQ(arrival.truth.output_tokens, 7);
      ++second;
    }
  }
  // 10 up to the median, then rising to 20 at the third quartile.
  EXPECT_NEAR(MomentsOf(first).mean, 10 * .5 + 15 * .25 + 20 * .25, 4 * 5 / std::sqrt(6000.0));
  EXPECT_NEAR(static_cast<double>(first.size()), 6000, 4 * std::sqrt(6000));
  EXPECT_NEAR(second, 6000, 4 * std::sqrt(5 * 6000));  // cv^2 of a Weibull of shape 0.5 is 5
  EXPECT_EQ(workload.reports()[0].span, absl::Seconds(1200));
}

// However bursty, a client is not given more than its rate when the run begins: its first gap was
// already going on.
TEST(ServeGenClients, HaveNoRushAtTheStart) {
  for (const std::string gaps : {"Gamma,0.05", "Weibull,0.5"}) {
    TemporaryFolder folder;
    PartSpec part = DeepSeek();
    TraceSpec& trace = std::get<TraceSpec>(part.arrivals);
    trace.file = folder.Of("rates.csv");
    trace.lengths = folder.Of("lengths.csv");
    std::ofstream(trace.file) << "client,t_s,rate_rps,iat_cv,iat_dist,dist_p1,dist_p2\n1,0,0.1,1,"
                              << gaps << ",1\n";
    std::ofstream(trace.lengths)
        << "client,window_start_s,field,mean,p01,p05,p10,p25,p50,p75,p90,p95,p99\n"
           "1,0,input_tokens,0,9,9,9,9,9,9,9,9,9\n1,0,output_tokens,0,7,7,7,7,7,7,7,7,7\n";
    const Workload workload = LoadOrDie({part});
    std::vector<double> counts;
    for (std::uint64_t seed = 0; seed < 4000; ++seed)
      counts.push_back(static_cast<double>(PullAll(workload, seed).size()));
    const Moments m = MomentsOf(counts);
    EXPECT_NEAR(m.mean, 60, 4 * std::sqrt(m.variance / 4000)) << gaps;
  }
}

TEST(ServeGenClients, SameSeedSameArrivals) {
  PartSpec part = DeepSeek();
  part.lasts = absl::Hours(1);
  std::get<TraceSpec>(part.arrivals).share = 0.5;
  const Workload workload = LoadOrDie({part});
  const auto first = PullAll(workload, 3), again = PullAll(workload, 3);
  ASSERT_EQ(first.size(), again.size());
  ASSERT_FALSE(first.empty());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].at, again[i].at);
    EXPECT_EQ(first[i].prompt_tokens, again[i].prompt_tokens);
  }
}

}  // namespace
}  // namespace spillway
