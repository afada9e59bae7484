#include "cli/job_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace spillway::cli {
namespace {

using testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'785'230'102);  // 2026-07-28T09:15:02Z

absl::StatusOr<Value> Made(std::vector<std::string> words, const std::string& file = "") {
  const auto args = ParseCommandLine(words);
  return args.ok() ? JobDocument(*args, file, kNow) : args.status();
}

std::string TempFile(const std::string& text) {
  static testing_support::TemporaryFolder folder;
  static int count = 0;
  std::string path = folder.Of("job" + std::to_string(++count) + ".json");
  std::ofstream(path) << text;
  return path;
}

TEST(JobDocument, OptionsBecomeTheJsonOfAJob) {
  const auto job = Made({"submit",
                         "--name",
                         "thumbs",
                         "--cpus",
                         "0.5",
                         "--memory",
                         "1GiB",
                         "--devices",
                         "1",
                         "--device-kind",
                         "npu",
                         "--runtime",
                         "cuda>=12",
                         "--class",
                         "image-resize",
                         "--units",
                         "120",
                         "--start-within",
                         "30s",
                         "--max-cost",
                         "0.05",
                         "--priority",
                         "-5",
                         "--retries",
                         "2",
                         "--label",
                         "team=web",
                         "--label",
                         "a=b=c",
                         "--env",
                         "LC_ALL=C",
                         "--feature",
                         "amx",
                         "--site",
                         "lab",
                         "--site",
                         "shop",
                         "--",
                         "convert",
                         "in.png"});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(*job, ParseJson(R"({
    "name": "thumbs",
    "needs": {"cpus": 0.5, "memory": "1GiB", "devices": {"count": 1, "kind": "npu"}, "runtime": "cuda>=12",
              "features": ["amx"], "sites": ["lab", "shop"]},
    "demand": {"class": "image-resize", "units": 120},
    "objective": {"start_within": "30s", "max_cost_usd": "0.05"},
    "priority": -5, "retries": {"own": 2}, "labels": {"team": "web", "a": "b=c"},
    "run": {"env": {"LC_ALL": "C"}, "command": ["convert", "in.png"]}})")
                      .value());
}

TEST(JobDocument, OptionsWinOverTheFile) {
  const auto job = Made(
      {"submit", "--cpus", "4", "--label", "team=ops"},
      TempFile(R"({"needs": {"cpus": 1, "memory": "1GiB"}, "labels": {"team": "web", "x": "y"}})"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(
      *job,
      ParseJson(R"({"needs": {"cpus": 4, "memory": "1GiB"}, "labels": {"team": "ops", "x": "y"}})")
          .value());
}

TEST(JobDocument, DeadlineIsASpanFromNowOrAnInstant) {
  const auto deadline = [](const std::string& text) {
    const auto job = Made({"submit", "--deadline", text, "--", "true"});
    return job.ok() ? job->Find("objective")->Find("deadline")->string()
                    : std::string(job.status().message());
  };
  EXPECT_EQ(deadline("10m"), "2026-07-28T09:25:02Z");
  EXPECT_EQ(deadline("2026-08-01T12:00:00Z"), "2026-08-01T12:00:00Z");
  EXPECT_THAT(deadline("soon"), HasSubstr("`soon` is neither a time"));
}

TEST(JobDocument, FaultsAreNamedBeforeAnythingIsSent) {
  const auto fault = [](std::vector<std::string> words, const std::string& file = "") {
    return std::string(Made(std::move(words), file).status().message());
  };
  EXPECT_THAT(fault({"submit", "--cpus", "two", "--", "true"}),
              HasSubstr("--cpus: `two` is not a number"));
  EXPECT_THAT(fault({"submit", "--devices", "1.5", "--", "true"}),
              HasSubstr("--devices: `1.5` is not a whole number"));
  EXPECT_THAT(fault({"submit", "--label", "web", "--", "true"}), HasSubstr("is not KEY=VALUE"));
  EXPECT_THAT(fault({"submit"}), HasSubstr("no job"));
  EXPECT_THAT(fault({"submit"}, "/no/such/file"), HasSubstr("cannot read /no/such/file"));
  EXPECT_THAT(fault({"submit"}, TempFile("[1]")), HasSubstr("wanted a JSON object"));
  EXPECT_THAT(fault({"submit"}, TempFile("{\"a\": 1,}")), HasSubstr(".json"));
}

TEST(ReadDocument, RefusesWhatNoJobCanBe) {
  const std::string path = TempFile(std::string((1 << 20) + 1, ' '));
  EXPECT_THAT(std::string(ReadDocument(path).status().message()), HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace spillway::cli
