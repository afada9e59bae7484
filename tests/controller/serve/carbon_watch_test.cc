#include "controller/carbon_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "formats/units.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A source that answers what the test says, in virtual time.
class CarbonWatchTest : public testing::Test {
 protected:
  static std::string Reading(double grams, absl::Time at) {
    return absl::StrCat(R"({"zone":"DE","carbonIntensity":)", grams, R"(,"datetime":")", Format(at),
                        "\"}");
  }
  CarbonWatch Make() {
    CarbonSource source{.site = "lab", .zone = "DE", .file = "x", .every = absl::Minutes(5)};
    return CarbonWatch(
        {source}, clock_,
        [this](const CarbonSource&) {
          ++asked_;
          return answer_;
        },
        [this](event::CarbonSeen seen) { seen_.push_back(seen.intensity.value()); },
        [this](bool, std::string_view line) { lines_.emplace_back(line); });
  }

  ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  absl::StatusOr<std::string> answer_ = absl::UnavailableError("nobody");
  int asked_ = 0;
  std::vector<double> seen_;
  std::vector<std::string> lines_;
};

TEST_F(CarbonWatchTest, OnlyWhatChangedIsToldAndOnlyWhenItIsDue) {
  CarbonWatch watch = Make();
  answer_ = Reading(310, clock_.Now());
  EXPECT_EQ(watch.Poll(), clock_.Now() + absl::Minutes(5));
  watch.Poll();
  EXPECT_EQ(asked_, 1) << "not due yet";
  clock_.Advance(absl::Minutes(5));
  watch.Poll();
  EXPECT_THAT(seen_, ElementsAre(310)) << "the same again";
  answer_ = Reading(290, clock_.Now());
  clock_.Advance(absl::Minutes(5));
  watch.Poll();
  EXPECT_THAT(seen_, ElementsAre(310, 290));
  EXPECT_TRUE(lines_.empty());
}

TEST_F(CarbonWatchTest, ASourceThatFailsKeepsItsFigureAndIsSaidToBeOld) {
  CarbonWatch watch = Make();
  answer_ = Reading(310, clock_.Now());
  watch.Poll();
  answer_ = absl::UnavailableError("nobody");
  for (int i = 0; i < 30; ++i) {  // two and a half hours
    clock_.Advance(absl::Minutes(5));
    watch.Poll();
  }
  EXPECT_THAT(seen_, ElementsAre(310));
  EXPECT_THAT(lines_,
              ElementsAre(HasSubstr("cannot be read: nobody"), HasSubstr("more than 2h old")));
  ASSERT_EQ(watch.standings().size(), 1u);
  EXPECT_TRUE(watch.standings()[0].stale);
  EXPECT_EQ(watch.standings()[0].reading->intensity, GramsCo2ePerKwh(310));
  answer_ = Reading(305, clock_.Now());
  clock_.Advance(absl::Minutes(5));
  watch.Poll();
  EXPECT_THAT(lines_.back(), HasSubstr("can be read again"));
  EXPECT_FALSE(watch.standings()[0].stale);
}

TEST_F(CarbonWatchTest, NonsenseIsAFailureAndChangesNothing) {
  CarbonWatch watch = Make();
  answer_ = std::string("<html>");
  watch.Poll();
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(watch.standings()[0].reading, std::nullopt);
}

}  // namespace
}  // namespace spillway
