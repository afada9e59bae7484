#include "adapters/process/output_log.h"

#include <sys/resource.h>

#include <csignal>
#include <random>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

std::string Text(std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i)
    text.push_back(static_cast<char>('!' + (i * 7 + i / 90) % 90));
  return text;
}

// What a reader gets that asks for `limit` bytes at a time, and how much was left out for it.
struct Got {
  std::string bytes;
  std::uint64_t dropped = 0;
};
template <class Read>
Got ReadAll(Read read, std::uint64_t total, std::size_t limit, std::uint64_t from = 0) {
  Got got;
  std::uint64_t offset = from;
  while (offset < total) {
    const auto chunk = read(offset, limit);
    EXPECT_TRUE(chunk.ok()) << chunk.status();
    if (!chunk.ok()) break;
    EXPECT_EQ(chunk->next, offset + chunk->dropped + chunk->bytes.size());
    EXPECT_GT(chunk->next, offset);
    if (chunk->next <= offset) break;
    got.bytes += chunk->bytes;
    got.dropped += chunk->dropped;
    offset = chunk->next;
  }
  return got;
}

TEST(OutputLog, KeepsTheFirstAndTheLastBytesAtEveryChunking) {
  constexpr std::uint64_t kHead = 13, kTail = 7;
  for (const std::size_t total : {0, 1, 12, 13, 14, 19, 20, 21, 27, 28, 100, 1000}) {
    const std::string text = Text(total);
    const std::string kept =
        total <= kHead + kTail ? text : text.substr(0, kHead) + text.substr(total - kTail);
    for (const std::size_t piece : {1, 2, 3, 5, 7, 13, 20, 21, 64, 1000}) {
      SCOPED_TRACE(absl::StrCat(total, " bytes in pieces of ", piece));
      TemporaryFolder folder;
      auto log = OutputLog::Create(folder.fd(), "log", kHead, kTail);
      ASSERT_TRUE(log.ok());
      for (std::size_t at = 0; at < total; at += piece)
        log->Append(std::string_view(text).substr(at, piece));
      const std::uint64_t dropped = total - kept.size();
      const auto read = [&](std::uint64_t offset, std::size_t limit) {
        return log->Read(offset, limit);
      };
      for (const std::size_t limit : {1, 4, 1000}) {
        EXPECT_EQ(ReadAll(read, total, limit).bytes, kept) << "while it runs";
        EXPECT_EQ(ReadAll(read, total, limit).dropped, dropped);
      }
      EXPECT_EQ(log->Finish(), "");
      for (const std::size_t limit : {1, 4, 1000}) {
        EXPECT_EQ(ReadAll(read, total, limit).bytes, kept) << "when it is over";
        EXPECT_EQ(ReadAll(read, total, limit).dropped, dropped);
      }
      const std::string file = *ReadWholeFile(folder.fd(), "log", 1 << 20);
      const std::string marked =
          kept.substr(0, kHead) + DroppedMarker(dropped) + (dropped > 0 ? kept.substr(kHead) : "");
      EXPECT_EQ(file, dropped == 0 ? text : marked);
    }
  }
}

TEST(OutputLog, ReaderMayAskFromAnywhere) {
  TemporaryFolder folder;
  auto log = OutputLog::Create(folder.fd(), "log", 10, 10);
  const std::string text = Text(55);
  log->Append(text);
  const auto at = [&](std::uint64_t offset) { return *log->Read(offset, 100); };
  EXPECT_EQ(at(3).bytes, text.substr(3, 7));  // up to the gap
  EXPECT_EQ(at(10).dropped, 35u);
  EXPECT_EQ(at(10).bytes, text.substr(45));
  EXPECT_EQ(at(30).dropped, 15u);
  EXPECT_EQ(at(50).bytes, text.substr(50));
  EXPECT_EQ(at(50).dropped, 0u);
  EXPECT_EQ(at(55).bytes, "");
  EXPECT_EQ(at(1'000'000).next, 55u);  // past the end: the end
}

TEST(OutputLog, FileNeverGrowsPastItsBound) {
  TemporaryFolder folder;
  auto log = OutputLog::Create(folder.fd(), "log", 100, 100);
  for (int i = 0; i < 500; ++i) {
    log->Append(Text(37));
    EXPECT_LE(ReadWholeFile(folder.fd(), "log", 1 << 20)->size(), 200u);
  }
}

TEST(OutputLog, RandomPiecesAndReadersAgreeWithAModel) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    TemporaryFolder folder;
    const std::uint64_t head = random() % 40, tail = 1 + random() % 40;
    auto log = OutputLog::Create(folder.fd(), "log", head, tail);
    std::string model;
    for (int step = 0; step < 40; ++step) {
      const std::string piece = Text(random() % 30);
      log->Append(piece);
      model += piece;
      const std::uint64_t dropped = model.size() > head + tail ? model.size() - head - tail : 0;
      const std::uint64_t from = model.empty() ? 0 : random() % model.size();
      const auto read = [&](std::uint64_t offset, std::size_t limit) {
        return log->Read(offset, limit);
      };
      const Got got = ReadAll(read, model.size(), 1 + random() % 50, from);
      std::string expected =
          from < head ? model.substr(from, dropped > 0 ? head - from : std::string::npos) : "";
      if (dropped > 0) expected += model.substr(std::max<std::uint64_t>(from, head + dropped));
      if (dropped == 0 && from >= head) expected = model.substr(from);
      EXPECT_EQ(got.bytes, expected);
    }
  }
}

TEST(OutputLog, FullDiskLosesTheRestAndSaysSo) {
  TemporaryFolder folder;
  auto log = OutputLog::Create(folder.fd(), "log", 1 << 20, 1 << 20);
  log->Append("kept");
  // A limit on file size stands in for a disk that is full.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  log->Append("lost");
  log->Append("lost too");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(log->Read(0, 100)->bytes, "kept");
  EXPECT_THAT(log->Finish(), testing::HasSubstr("cannot write"));
}

}  // namespace
}  // namespace spillway
