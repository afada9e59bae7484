#include "controller/store/retention.h"

#include <algorithm>
#include <vector>

#include "controller/store/columns.h"
#include "controller/store/request_rows.h"
#include "controller/store/row_reader.h"

namespace spillway::store {
namespace {

std::vector<std::int64_t> Numbers(Query& query) {
  std::vector<std::int64_t> numbers;
  while (query.Next()) numbers.push_back(query.Int(0));
  return numbers;
}

std::vector<std::int64_t> OldJobs(Connection& c, const Retention& retention, absl::Time now,
                                  std::int64_t rows) {
  Query count(c, "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL");
  count.Next();
  const std::int64_t too_many =
      std::clamp<std::int64_t>(count.Int(0) - retention.max_jobs, 0, rows);
  Query oldest(c,
               "SELECT id FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at, id LIMIT ?",
               too_many);
  std::vector<std::int64_t> jobs = Numbers(oldest);
  if (!jobs.empty()) return jobs;
  Query old(c, "SELECT id FROM jobs WHERE finished_at < ? ORDER BY finished_at, id LIMIT ?",
            NanosOf(now - retention.max_age), rows);
  return Numbers(old);
}

std::int64_t SweepJobs(Connection& c, const Retention& retention, absl::Time now,
                       std::int64_t rows) {
  const std::vector<std::int64_t> jobs = OldJobs(c, retention, now, rows);
  for (const std::int64_t job : jobs) {
    Run(c, "DELETE FROM decisions WHERE job = ?", job);
    Run(c, "DELETE FROM works WHERE job = ?", job);
    Run(c, "DELETE FROM jobs WHERE id = ?", job);
  }
  return static_cast<std::int64_t>(jobs.size());
}

// From the front, so that what stays is a log without gaps; never the last event, by which the next
// start knows where to go on.
std::int64_t CutLog(Connection& c, const Retention& retention, absl::Time now, std::int64_t rows) {
  const LogRange log = ReadLogRange(c);
  const std::int64_t last = ColumnOf(log.last);
  const std::int64_t keep_from =
      std::clamp<std::int64_t>(last - kEventsPerJob * retention.max_jobs + 1, 0, last);
  const std::int64_t cutoff = NanosOf(now - retention.max_age);
  Query front(c, "SELECT number, at FROM events ORDER BY number LIMIT ?", rows);
  std::int64_t until = 0, swept = 0;
  while (front.Next()) {
    const std::int64_t number = front.Int(0);
    if (number >= last || (front.Int(1) >= cutoff && number >= keep_from)) break;
    until = number;
    ++swept;
  }
  if (swept > 0) Run(c, "DELETE FROM events WHERE number <= ?", until);
  return swept;
}

// Decisions about no job lead to the text of their work by the event; without it they go.
std::int64_t SweepRefusals(Connection& c, std::int64_t rows) {
  const std::int64_t first = ColumnOf(ReadLogRange(c).first);
  Query front(c, "SELECT id, event FROM decisions WHERE job = 0 ORDER BY id LIMIT ?", rows);
  std::vector<std::int64_t> gone;
  while (front.Next() && front.Int(1) < first) gone.push_back(front.Int(0));
  for (const std::int64_t id : gone) Run(c, "DELETE FROM decisions WHERE id = ?", id);
  return static_cast<std::int64_t>(gone.size());
}

// The rows of requests whose event went with the front of the log, and what they were routed by.
// Requests that end together began at about the same time: the order of their ids is good enough.
std::int64_t SweepRequests(Connection& c, std::int64_t rows) {
  const EventNumber first = ReadLogRange(c).first;
  const std::int64_t swept = SweepRequestRows(c, first, rows);
  Run(c,
      "DELETE FROM routers WHERE id IN (SELECT id FROM routers WHERE id < (SELECT max(id) FROM"
      " routers WHERE id <= ?) ORDER BY id LIMIT ?)",
      ColumnOf(first), rows);
  return swept + c.Changes();
}

std::int64_t SweepLedger(Connection& c, const Retention& retention, absl::Time now,
                         std::int64_t rows) {
  Run(c,
      "DELETE FROM ledger WHERE (hour, pool, tenant, category, kind, model) IN (SELECT hour, pool,"
      " tenant, category, kind, model FROM ledger WHERE hour < ? ORDER BY hour LIMIT ?)",
      NanosOf(now - retention.ledger_age), rows);
  return c.Changes();
}

// They stand in the order in which they were given: a row that replaces another goes to the end.
std::int64_t SweepAnswers(Connection& c, const Retention& retention, absl::Time now,
                          std::int64_t rows) {
  const std::int64_t cutoff = NanosOf(now - retention.answer_age);
  Query front(c, "SELECT rowid, at FROM answers ORDER BY rowid LIMIT ?", rows);
  std::vector<std::int64_t> gone;
  while (front.Next() && front.Int(1) < cutoff) gone.push_back(front.Int(0));
  for (const std::int64_t row : gone) Run(c, "DELETE FROM answers WHERE rowid = ?", row);
  return static_cast<std::int64_t>(gone.size());
}

}  // namespace

absl::StatusOr<std::int64_t> SweepOnce(Connection& writer, const Retention& retention,
                                       absl::Time now, std::int64_t rows) {
  return Guarded("sweeping the past", [&]() -> absl::StatusOr<std::int64_t> {
    Transaction transaction(writer, Transaction::Kind::kWrite);
    const std::int64_t swept =
        SweepJobs(writer, retention, now, rows) + CutLog(writer, retention, now, rows) +
        SweepRefusals(writer, rows) + SweepRequests(writer, rows) +
        SweepLedger(writer, retention, now, rows) + SweepAnswers(writer, retention, now, rows);
    if (swept > 0) transaction.Commit();
    return swept;
  });
}

}  // namespace spillway::store
