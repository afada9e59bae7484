#include "controller/job_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

// What a change keeps alive, roughly: its work is shared by all changes of the job, and counted in
// each.
std::size_t BytesOf(const Job& job) {
  std::size_t bytes = sizeof(Job) + job.attempts.size() * sizeof(Attempt) + job.message.size();
  const auto add = [&bytes](const Run& run) {
    for (const std::string& word : run.command) bytes += word.size() + sizeof(std::string);
    for (const auto& [name, value] : run.env)
      bytes += name.size() + value.size() + 2 * sizeof(std::string);
  };
  add(job.work->run);
  for (const Alternative& alternative : job.work->alternatives) {
    bytes += sizeof(Alternative);
    add(alternative.run);
  }
  for (const auto& [name, value] : job.work->labels)
    bytes += name.size() + value.size() + 2 * sizeof(std::string);
  return bytes;
}

}  // namespace

void JobFeed::StartAt(EventNumber version) {
  const std::lock_guard lock(mutex_);
  forgotten_ = version;
  version_.store(Number(version), std::memory_order_release);
}

void JobFeed::Publish(std::vector<JobChange> changes, EventNumber version) {
  const std::lock_guard lock(mutex_);
  for (JobChange& change : changes) {
    const std::size_t bytes = BytesOf(*change.job);
    bytes_ += bytes;
    ring_.push_back({std::move(change), bytes});
  }
  Trim();
  version_.store(Number(version), std::memory_order_release);
  for (const auto& [number, wake] : watchers_) wake();
}

// Forgets whole events only, so that a watcher never sees half of one.
void JobFeed::Trim() {
  while (!ring_.empty() && (ring_.size() > limits_.changes || bytes_ > limits_.bytes)) {
    forgotten_ = ring_.front().change.event;
    while (!ring_.empty() && ring_.front().change.event == forgotten_) {
      bytes_ -= ring_.front().bytes;
      ring_.pop_front();
    }
  }
}

absl::StatusOr<JobFeed::Page> JobFeed::After(EventNumber after, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  const EventNumber version = this->version();
  if (after < forgotten_ || after > version) {
    return absl::OutOfRangeError(absl::StrCat("changes after event ", Number(after),
                                              " are not kept: there are those of events ",
                                              Number(forgotten_) + 1, " to ", Number(version)));
  }
  Page page{.changes = {}, .until = version};
  auto it = std::upper_bound(
      ring_.begin(), ring_.end(), after,
      [](EventNumber number, const Kept& kept) { return number < kept.change.event; });
  while (it != ring_.end()) {
    const EventNumber event = it->change.event;
    if (page.changes.size() >= limit) {
      page.until = EventNumber{Number(event) - 1};
      break;
    }
    for (; it != ring_.end() && it->change.event == event; ++it) page.changes.push_back(it->change);
  }
  return page;
}

absl::StatusOr<std::shared_ptr<JobFeed::Ticket>> JobFeed::Watch(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (watchers_.size() >= limits_.watchers) {
    return absl::ResourceExhaustedError(
        absl::StrCat(watchers_.size(), " watch already, at most ", limits_.watchers, " may"));
  }
  const std::uint64_t number = next_ticket_++;
  watchers_.emplace(number, std::move(wake));
  return std::make_shared<Ticket>(this, number);
}

void JobFeed::Leave(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(number);
}

JobFeed::Sizes JobFeed::sizes() const {
  const std::lock_guard lock(mutex_);
  return {ring_.size(), bytes_, watchers_.size()};
}

}  // namespace spillway
