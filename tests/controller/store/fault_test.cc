#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "controller/store/sqlite_archive.h"
#include "controller/store/sqlite_store.h"
#include "tests/controller/store/scribe.h"
#include "tests/support/faulty_vfs.h"
#include "tests/support/temporary_folder.h"

// The disk fails at every single operation in turn, until a run is clean; and power is lost after
// every single batch.
namespace spillway {
namespace {

using testing_support::Difference;
using testing_support::FaultyVfs;
using testing_support::Model;
using testing_support::Scribe;
using testing_support::TemporaryFolder;

struct Case {
  std::string name;
  FaultyVfs::Fault fault;
  bool for_good;
};
class DiskFault : public testing::TestWithParam<Case> {};

// What the folder holds, read without faults.
std::string DifferenceOnDisk(const Model& model, const std::string& path) {
  auto store = SqliteStore::Open({.path = path});
  if (!store.ok()) return store.status().ToString();
  const auto remembered = (*store)->Recall();
  if (!remembered.ok()) return remembered.status().ToString();
  std::string found = Difference(model, *remembered);
  if (!found.empty()) return found;
  auto archive = SqliteArchive::Open({.path = path});
  if (!archive.ok()) return archive.status().ToString();
  found = Difference(model, **archive);
  if (!found.empty()) return found;
  return (*archive)->Check().ok() ? "" : "the database is damaged";
}

// Three batches; closing the store writes the log back, with faults as well. Stops at the first
// error, as the host does. Gives the model after the last acknowledged batch, and the one after the
// batch that failed.
struct Told {
  Model acknowledged, tried;
  bool failed = false;
};
Told CommitSome(const std::string& path, const std::string& vfs, std::uint64_t seed) {
  Told told;
  Scribe scribe(seed);
  auto store = SqliteStore::Open({.path = path, .vfs = vfs});
  if (!store.ok()) return told.failed = true, told;
  for (int i = 0; i < 3; ++i) {
    const Batch batch = scribe.NextApplied(2);
    told.tried = scribe.model();
    if (!(*store)->Commit(batch).ok()) {
      // A second try must not succeed by chance: the failure is final.
      EXPECT_FALSE((*store)->Commit(batch).ok());
      return told.failed = true, told;
    }
    told.acknowledged = scribe.model();
  }
  return told;
}

TEST_P(DiskFault, AtAnyOperationIsToldAndLeavesOnlyWhatWasAcknowledged) {
  constexpr std::uint64_t kSeed = 5;
  FaultyVfs vfs("faulty-" + GetParam().name);
  bool clean = false;
  int told_errors = 0;
  for (std::int64_t n = 1; !clean; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    ASSERT_LT(n, 2000);
    const TemporaryFolder folder;
    const std::string path = folder.Of("spillway.db");
    vfs.FailAt(n, GetParam().fault, GetParam().for_good);
    const Told told = CommitSome(path, vfs.name(), kSeed);
    vfs.StopFailing();
    clean = !vfs.failed();
    told_errors += told.failed;
    if (told.failed) {
      ASSERT_TRUE(vfs.failed());
    }
    std::string difference = DifferenceOnDisk(told.acknowledged, path);
    // Only a failed flush leaves the outcome open: the batch may be there, whole.
    if (!difference.empty() && told.failed && vfs.failed_in_flush())
      difference = DifferenceOnDisk(told.tried, path);
    ASSERT_EQ(difference, "");
  }
  EXPECT_GT(told_errors, 10);
}
INSTANTIATE_TEST_SUITE_P(All, DiskFault,
                         testing::Values(Case{"IoErrorOnce", FaultyVfs::Fault::kIoError, false},
                                         Case{"IoErrorForGood", FaultyVfs::Fault::kIoError, true},
                                         Case{"FullOnce", FaultyVfs::Fault::kDiskFull, false},
                                         Case{"FullForGood", FaultyVfs::Fault::kDiskFull, true}),
                         [](const auto& row) { return row.param.name; });

TEST(DiskFaultNames, AFullDiskIsCalledThat) {
  FaultyVfs vfs("faulty-full");
  const TemporaryFolder folder;
  auto store = *SqliteStore::Open({.path = folder.Of("spillway.db"), .vfs = vfs.name()});
  vfs.FailAt(1, FaultyVfs::Fault::kDiskFull, true);
  Scribe scribe(1);
  EXPECT_EQ(store->Commit(scribe.Next(1)).code(), absl::StatusCode::kResourceExhausted);
  vfs.StopFailing();
}

// What was flushed stays, of the rest any part may be there, torn and in any order.
TEST(PowerLoss, LosesNothingThatWasAcknowledged) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    FaultyVfs vfs("faulty-power");
    const TemporaryFolder folder;
    auto store = *SqliteStore::Open({.path = folder.Of("spillway.db"), .vfs = vfs.name()});
    Scribe scribe(seed + 1);
    for (int i = 0; i < 8; ++i) {
      Batch batch = scribe.NextApplied(3);
      // Enough for the log to be written back in between.
      batch.answers.push_back({.tenant = "t", .key = "k", .body = std::string(3 << 20, 'x')});
      ASSERT_TRUE(store->Commit(batch).ok());
      if (scribe.random().OneIn(2)) {
        ASSERT_TRUE(store->Tidy(absl::InfinitePast()).ok());
      }
      const TemporaryFolder after;
      vfs.LosePower(after.path(), seed);
      ASSERT_EQ(DifferenceOnDisk(scribe.model(), after.Of("spillway.db")), "") << "batch " << i;
    }
  }
}

// In the middle of a commit, at every operation: all acknowledged batches, and the one under way
// whole or not at all.
TEST(PowerLoss, InTheMiddleOfACommitLeavesItWholeOrNotAtAll) {
  bool clean = false;
  int before = 0, after_it = 0;
  for (std::int64_t n = 1; !clean; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    ASSERT_LT(n, 2000);
    FaultyVfs vfs("faulty-power");
    const TemporaryFolder folder;
    auto store = *SqliteStore::Open({.path = folder.Of("spillway.db"), .vfs = vfs.name()});
    Scribe scribe(9);
    ASSERT_TRUE(store->Commit(scribe.NextApplied(3)).ok());
    const Model first = scribe.model();
    vfs.FailAt(n, FaultyVfs::Fault::kIoError, true);  // nothing reaches the disk from here on
    const bool committed = store->Commit(scribe.NextApplied(3)).ok();
    clean = !vfs.failed();
    const TemporaryFolder rest;
    vfs.LosePower(rest.path(), static_cast<std::uint64_t>(n));
    std::string difference = DifferenceOnDisk(scribe.model(), rest.Of("spillway.db"));
    after_it += difference.empty();
    if (!committed && !difference.empty()) {
      difference = DifferenceOnDisk(first, rest.Of("spillway.db"));
      before += difference.empty();
    }
    ASSERT_EQ(difference, "");
    vfs.StopFailing();
  }
  EXPECT_GT(before, 3);
  EXPECT_GE(after_it, 1);
}

}  // namespace
}  // namespace spillway
