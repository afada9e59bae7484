#include "formats/traces/servegen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "formats/traces/table_file.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing_support::TemporaryFolder;

constexpr char kRates[] = "client,t_s,rate_rps,iat_cv,iat_dist,dist_p1,dist_p2\n";
constexpr char kLengths[] =
    "client,window_start_s,field,mean,p01,p05,p10,p25,p50,p75,p90,p95,p99\n";
constexpr char kOneRate[] = "3,600,0.5,1,Gamma,1,2\n";
constexpr char kOneLength[] =
    "3,0,input_tokens,5,1,2,3,4,5,6,7,8,9\n3,0,output_tokens,5,1,1,1,1,1,1,1,1,2\n";

class ServeGen : public testing::Test {
 protected:
  absl::StatusOr<ServeGenClients> Read(const std::string& rates, const std::string& lengths) {
    TraceSpec spec;
    spec.format = TraceFormat::kServeGen;
    spec.file = folder_.Of("rates.csv");
    spec.lengths = folder_.Of("lengths.csv");
    std::ofstream(spec.file) << kRates << rates;
    std::ofstream(spec.lengths) << kLengths << lengths;
    return ReadServeGen(spec);
  }
  TemporaryFolder folder_;
};

TEST_F(ServeGen, ReadsTheFilesThatComeWithSpillway) {
  TraceSpec spec;
  spec.file = SPILLWAY_SOURCE_DIR "/configs/traces/servegen_deepseek_r1_first6h_rate.csv";
  spec.lengths = SPILLWAY_SOURCE_DIR "/configs/traces/servegen_deepseek_r1_first6h_lengths.csv";
  const auto read = ReadServeGen(spec);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->clients.size(), 29u);
  EXPECT_EQ(read->report.left_out, 4);  // have lengths, and no rate in these six hours
  const ServeGenClient& first = read->clients[0];
  EXPECT_EQ(first.number, 0);
  EXPECT_EQ(first.rates[0].begin, 2400'000'000'000);
  EXPECT_DOUBLE_EQ(first.rates[0].rate, 0.085);
  EXPECT_EQ(first.rates[0].gaps, GapShape::kGamma);
  EXPECT_DOUBLE_EQ(first.rates[0].shape, 0.0223217);
  EXPECT_THAT(first.lengths[0].input, ElementsAre(46, 49, 52, 63, 143, 414, 657, 793, 900));
}

TEST_F(ServeGen, LeavesOutClientsWithHalfOfTheirData) {
  const auto read = Read(std::string(kOneRate) + "4,0,1,1,Weibull,0.5,1\n", kOneLength);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->clients.size(), 1u);
  EXPECT_EQ(read->clients[0].number, 3);
  EXPECT_EQ(read->report.left_out, 1);
}

TEST_F(ServeGen, TellsWhatIsWrongAndWhere) {
  const auto says = [&](const std::string& rates, const std::string& lengths) {
    return std::string(Read(rates, lengths).status().message());
  };
  EXPECT_THAT(says("3,600,0,1,Gamma,1,2\n", kOneLength),
              HasSubstr("rates.csv:2:7: `rate_rps` is `0`: wants a number, more than 0"));
  EXPECT_THAT(says("3,600,1,1,Normal,1,2\n", kOneLength),
              EndsWith("rates.csv:2:11: `iat_dist` is `Normal`: wants Gamma or Weibull"));
  EXPECT_THAT(says(std::string(kOneRate) + "3,1000,0.5,1,Gamma,1,2\n", kOneLength),
              HasSubstr("rates.csv:3:3: `t_s` is `1000`: wants windows of a client in the order"));
  EXPECT_THAT(says(kOneRate, "3,0,input_tokens,5,1,2,3,4,3,6,7,8,9\n"),
              HasSubstr("lengths.csv:2:28: `p50` is `3`: wants quantiles that do not fall"));
  EXPECT_THAT(says(kOneRate, "3,0,input_tokens,5,1,2,3,4,5,6,7,8,9\n"),
              HasSubstr("client 3 lacks input_tokens or output_tokens at 0 s"));
  EXPECT_THAT(says(kOneRate,
                   "4,0,input_tokens,5,1,2,3,4,5,6,7,8,9\n4,0,output_tokens,5,1,2,3,4,5,"
                   "6,7,8,9\n"),
              HasSubstr("no client has both rates"));
}

TEST_F(ServeGen, OtherFieldsAreNotLookedAt) {
  EXPECT_TRUE(
      Read(kOneRate, std::string(kOneLength) + "3,0,reason_ratio,x,x,x,x,x,x,x,x,x,x\n").ok());
}

TEST(CsvColumn, IsReadByName) {
  TemporaryFolder folder;
  const std::string path = folder.Of("t.csv");
  std::ofstream(path) << "a,b\n1,2.5\n\n3,4\n";
  const auto values = ReadCsvColumn(path, "b");
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_THAT(*values, ElementsAre(2.5, 4));
  EXPECT_THAT(std::string(ReadCsvColumn(path, "c").status().message()),
              HasSubstr("t.csv:1:1: the heading lacks the column `c`"));
  std::ofstream(path) << "a,b\n1\n";
  EXPECT_THAT(std::string(ReadCsvColumn(path, "a").status().message()),
              HasSubstr("t.csv:2:1: has 1 fields, the heading has 2"));
  std::ofstream(path) << "a\n";
  EXPECT_THAT(std::string(ReadCsvColumn(path, "a").status().message()), HasSubstr("has no rows"));
  std::ofstream(path) << "a\n-3\n";
  EXPECT_THAT(std::string(ReadCsvColumn(path, "a").status().message()),
              HasSubstr("t.csv:2:1: `a` is `-3`: wants a number, not negative"));
}

}  // namespace
}  // namespace spillway
