// Output of real commands: complete before the end is told, bounded, followed.
#include <sys/stat.h>

#include <fstream>
#include <future>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/process/output_log.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

class RunLogs : public Supervised {};

TEST_F(RunLogs, EndlessOutputIsBoundedAndDoesNotHoldTheCommand) {
  StartController({}, {"--log-bound", "100000"});
  // `head` ends it after 20 MB; with a reader that stalled or a pipe that broke it would not come
  // to echo.
  const AttemptKey key = Shell("yes | head -c 20000000; echo; echo the end");
  ASSERT_EQ(End(key).exit_code, 0);
  std::uint64_t dropped = 0;
  const std::string kept = Output(key, LogStream::kStdout, &dropped);
  EXPECT_EQ(kept.size(), 100'000u);
  EXPECT_EQ(dropped, 20'000'009u - 100'000u);
  EXPECT_TRUE(absl::StartsWith(kept, "y\ny\ny\n"));
  EXPECT_TRUE(absl::EndsWith(kept, "y\n\nthe end\n"));
  const std::string file = ReadFile(Path("logs/job-000001.1.out"));
  EXPECT_EQ(file,
            absl::StrCat(kept.substr(0, 50'000), DroppedMarker(dropped), kept.substr(50'000)));
}

TEST_F(RunLogs, OutputWithoutEndIsBoundedUntilCancelled) {
  StartController({}, {"--log-bound", "100000"});
  const AttemptKey key = Launch({"/usr/bin/yes"});
  std::uint64_t offset = 0;
  while (offset < 5'000'000) {
    const auto chunk = ReadLogOnce(key, offset, true);
    ASSERT_TRUE(chunk.ok());
    offset = chunk->next;
  }
  struct stat log {};
  ASSERT_EQ(stat(Path("logs/job-000001.1.out").c_str(), &log), 0);
  EXPECT_LE(log.st_size, 100'000);
  Cancel(key);
  EXPECT_EQ(End(key).fault, Fault::kCancelled);
}

TEST_F(RunLogs, FollowerHearsOfGrowthAndOfTheEnd) {
  StartController();
  const AttemptKey key =
      Shell("echo one; while [ ! -e " + Path("go") + " ]; do sleep 0.01; done; echo two");
  auto chunk = ReadLogOnce(key, 0, true);
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->bytes, "one\n");
  EXPECT_FALSE(chunk->end);
  std::promise<absl::StatusOr<LogChunk>> answer;
  adapter_->Logs(key, LogStream::kStdout, 4, 100, true,
                 [&](auto got) { answer.set_value(std::move(got)); });
  auto more = answer.get_future();
  // Nobody has printed yet, so nothing was answered; a reader that does not follow gets nothing, at
  // once.
  EXPECT_EQ(ReadLogOnce(key, 4, false)->bytes, "");
  EXPECT_EQ(more.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  std::ofstream(Path("go")) << "";
  const auto second = more.get();
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->bytes, "two\n");
  EXPECT_EQ(Output(key), "one\ntwo\n");
  EXPECT_EQ(End(key).exit_code, 0);
}

TEST_F(RunLogs, AreCompleteWhenTheEndIsTold) {
  StartController();
  for (int i = 0; i < 20; ++i) {
    const AttemptKey key = Shell("head -c 300000 /dev/zero; echo last >&2");
    ASSERT_EQ(End(key).exit_code, 0);
    const auto chunk = ReadLogOnce(key, 299'990, false);
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->bytes.size(), 10u);
    EXPECT_TRUE(chunk->end);
    EXPECT_EQ(Output(key, LogStream::kStderr), "last\n");
  }
}

TEST_F(RunLogs, OldestGoFirstWhenAllTogetherAreTooLong) {
  StartController({}, {"--log-bound", "70000", "--all-logs", "200000"});
  std::vector<AttemptKey> keys;
  for (int i = 0; i < 5; ++i) {
    keys.push_back(Shell("head -c 60000 /dev/zero"));
    ASSERT_EQ(End(keys.back()).exit_code, 0);
  }
  EXPECT_TRUE(Eventually([&] { return !Exists(Path("logs/job-000001.1.out")); }));
  EXPECT_TRUE(absl::IsNotFound(ReadLogOnce(keys.front(), 0, false).status()));
  EXPECT_EQ(Output(keys.back()).size(), 60'000u);
}

TEST_F(RunLogs, UnknownAttemptIsNotFound) {
  StartController();
  EXPECT_TRUE(absl::IsNotFound(ReadLogOnce({JobId(99), 1}, 0, true).status()));
}

TEST_F(RunLogs, NoReaderIsNeededAndNoWriterWaits) {
  StartController();
  // The controller goes away; the command prints more than a pipe holds, and ends.
  const AttemptKey key =
      Shell("while [ ! -e " + Path("go") +
            " ]; do sleep 0.01; done; head -c 1000000 /dev/zero; touch " + Path("done"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  StopController();
  std::ofstream(Path("go")) << "";
  EXPECT_TRUE(Eventually([&] { return Exists(Path("done")); }));
  StartController({key});
  EXPECT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Output(key).size(), 1'000'000u);
}

}  // namespace
}  // namespace spillway
