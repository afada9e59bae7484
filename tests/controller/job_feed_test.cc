#include "controller/job_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/open_batch.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

JobChange Change(std::uint64_t event, std::uint64_t job, bool added = false) {
  Job j{.id = JobId{job}, .work = std::make_shared<const Work>(fixtures::SmallJob())};
  return {EventNumber{event}, added, std::make_shared<const Job>(std::move(j))};
}

std::vector<std::uint64_t> JobsOf(const JobFeed::Page& page) {
  std::vector<std::uint64_t> jobs;
  for (const JobChange& change : page.changes) jobs.push_back(Number(change.job->id));
  return jobs;
}

TEST(JobFeed, GivesWhatCameAfterAPlace) {
  JobFeed feed({});
  feed.StartAt(EventNumber{10});
  feed.Publish({Change(11, 1), Change(12, 2)}, EventNumber{14});
  EXPECT_THAT(JobsOf(*feed.After(EventNumber{10}, 100)), ElementsAre(1, 2));
  EXPECT_THAT(JobsOf(*feed.After(EventNumber{11}, 100)), ElementsAre(2));
  EXPECT_THAT(JobsOf(*feed.After(EventNumber{14}, 100)), IsEmpty());
  EXPECT_EQ(feed.After(EventNumber{11}, 100)->until, EventNumber{14});
}

TEST(JobFeed, NeverGivesHalfAnEvent) {
  JobFeed feed({});
  feed.StartAt(EventNumber{0});
  feed.Publish({Change(1, 1), Change(1, 2), Change(1, 3), Change(2, 4)}, EventNumber{2});
  const auto page = feed.After(EventNumber{0}, 2);
  EXPECT_THAT(JobsOf(*page), ElementsAre(1, 2, 3));
  EXPECT_EQ(page->until, EventNumber{1});
  EXPECT_THAT(JobsOf(*feed.After(page->until, 2)), ElementsAre(4));
}

TEST(JobFeed, PlacesThatAreGoneOrNeverWereAreRefused) {
  JobFeed feed({.changes = 2});
  feed.StartAt(EventNumber{5});
  feed.Publish({Change(6, 1), Change(7, 2), Change(8, 3)}, EventNumber{8});
  EXPECT_TRUE(absl::IsOutOfRange(feed.After(EventNumber{4}, 9).status()));  // before the start
  EXPECT_TRUE(absl::IsOutOfRange(feed.After(EventNumber{5}, 9).status()));  // 6 made room
  EXPECT_THAT(JobsOf(*feed.After(EventNumber{6}, 9)), ElementsAre(2, 3));
  EXPECT_TRUE(absl::IsOutOfRange(feed.After(EventNumber{9}, 9).status()));  // not yet
}

TEST(JobFeed, IsBoundedInBytesToo) {
  JobFeed feed({.bytes = 4096});
  feed.StartAt(EventNumber{0});
  for (std::uint64_t e = 1; e <= 100; ++e) feed.Publish({Change(e, e)}, EventNumber{e});
  EXPECT_LE(feed.sizes().bytes, 4096u);
  EXPECT_GT(feed.sizes().changes, 0u);
}

TEST(JobFeed, WakesThoseWhoWatchUntilTheyLeave) {
  JobFeed feed({.watchers = 1});
  int woken = 0;
  auto ticket = feed.Watch([&] { ++woken; });
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(feed.Watch([] {}).status()));
  feed.Publish({}, EventNumber{1});
  EXPECT_EQ(woken, 1);
  ticket->reset();
  feed.Publish({}, EventNumber{2});
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(feed.Watch([] {}).ok());
}

TEST(TakeJobs, OneEventShowsTheLastRowOfEachJob) {
  const auto row = [](std::uint64_t id, JobState state, bool is_new) {
    Job job{.id = JobId{id}, .work = std::make_shared<const Work>(fixtures::SmallJob())};
    job.state = state;
    return Record(record::JobRow{std::move(job), is_new});
  };
  std::vector<Record> records = {row(1, JobState::kQueued, true), row(2, JobState::kRunning, false),
                                 row(1, JobState::kStarting, false), record::CountersRow{},
                                 row(1, JobState::kRunning, false)};
  std::vector<Event> events(2);
  events[0].number = EventNumber{7};
  events[1].number = EventNumber{8};
  const Published published = TakeJobs(events, {4, 5}, records);
  ASSERT_EQ(published.changes.size(), 3u);
  EXPECT_EQ(published.changes[0].job->id, JobId{2});
  EXPECT_FALSE(published.changes[0].added);
  EXPECT_EQ(published.changes[1].job->state, JobState::kStarting);
  EXPECT_TRUE(published.changes[1].added);
  EXPECT_EQ(published.changes[2].event, EventNumber{8});
  EXPECT_FALSE(published.changes[2].added);
  EXPECT_EQ(published.jobs[0], nullptr);
  EXPECT_EQ(published.jobs[2], published.changes[1].job);
}

}  // namespace
}  // namespace spillway
