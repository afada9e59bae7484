#include "controller/store/row_writer.h"

#include <variant>

#include "controller/store/columns.h"
#include "controller/store/last_rows.h"
#include "controller/store/request_rows.h"
#include "formats/codec.h"

namespace spillway::store {
namespace {

// The pool of the latest attempt, by which listings filter.
std::optional<std::int64_t> PoolOf(const Job& job) {
  if (job.attempts.empty() || job.attempts.back().pool == kNoPool) return std::nullopt;
  return Index(job.attempts.back().pool);
}

std::optional<std::int64_t> FinishOf(const Job& job) {
  if (!IsTerminal(job.state)) return std::nullopt;
  return NanosOf(job.finished_at.value_or(job.created_at));
}

}  // namespace

absl::Status RowWriter::Write(const Batch& batch) {
  event_texts_.clear();
  SPILLWAY_RETURN_IF_ERROR(WriteEvents(batch));
  SPILLWAY_RETURN_IF_ERROR(WriteRecords(batch));
  for (const StoredAnswer& answer : batch.answers) WriteAnswer(answer);
  return absl::OkStatus();
}

absl::Status RowWriter::WriteEvents(const Batch& batch) {
  auto packed = batch.packed.begin();
  for (const Event& e : batch.events) {
    const std::int64_t at = NanosOf(e.at);
    if (absl::FromUnixNanos(at) != e.at) {
      return absl::InvalidArgumentError(
          absl::StrCat("event ", Number(e.number), " is stamped with a part of a nanosecond"));
    }
    std::string& text = event_texts_.emplace_back();
    if (packed != batch.packed.end() && packed->event == e.number) {
      WriteEvent(e, packed->text);
      IndexRequests(connection_, e.number, packed->ids);
      ++packed;
      continue;
    }
    if (const auto here = PackRequests(e.body)) {
      WriteEvent(e, here->text);
      IndexRequests(connection_, e.number, here->ids);
      continue;
    }
    text = EncodeEvent(e.body);
    WriteEvent(e, text);
    if (const auto* started = std::get_if<event::Started>(&e.body)) {
      Run(connection_, "INSERT INTO epochs(epoch, event, at) VALUES(?, ?, ?)",
          ColumnOf(started->epoch), ColumnOf(e.number), at);
    }
  }
  return absl::OkStatus();
}

void RowWriter::WriteEvent(const Event& event, std::string_view text) {
  Run(connection_, "INSERT INTO events(number, at, kind, body) VALUES(?, ?, ?, ?)",
      ColumnOf(event.number), NanosOf(event.at), KindOf(event.body), text);
}

absl::Status RowWriter::WriteRecords(const Batch& batch) {
  for (const LastRow& last : LastRows(batch.records)) {
    const auto put = [&]<class Row>(const Row& row) {
      if constexpr (std::is_same_v<Row, record::JobRow>) {
        return Put(row, last.is_new, batch);
      } else {
        return Put(row);
      }
    };
    SPILLWAY_RETURN_IF_ERROR(std::visit(put, batch.records[last.index]));
  }
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::JobRow& row, bool is_new, const Batch& batch) {
  const Job& job = row.job;
  const std::string status = codec::Encode(job);
  if (!is_new) {
    Run(connection_,
        "UPDATE jobs SET state = ?, pool = ?, finished_at = ?, status = ? WHERE id = ?",
        NameOf(job.state), PoolOf(job), FinishOf(job), std::string_view(status), ColumnOf(job.id));
    if (connection_.Changes() == 1) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat(ToString(job.id), " is to be changed, but no such job is stored"));
  }
  Run(connection_,
      "INSERT INTO jobs(id, tenant, name, state, pool, created_at, finished_at, status)"
      " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
      ColumnOf(job.id), std::string_view(job.work->tenant), std::string_view(job.work->name),
      NameOf(job.state), PoolOf(job), NanosOf(job.created_at), FinishOf(job),
      std::string_view(status));
  // The job's id is the number of the event that submitted it.
  const std::uint64_t place =
      batch.events.empty() ? 0 : Number(job.id) - Number(batch.events.front().number);
  const event::Submitted* submitted = place < batch.events.size()
                                          ? std::get_if<event::Submitted>(&batch.events[place].body)
                                          : nullptr;
  const bool same = submitted != nullptr && submitted->work == job.work;
  const std::string work = same ? std::string() : codec::Encode(*job.work);
  Run(connection_, "INSERT INTO works(job, body) VALUES(?, ?)", ColumnOf(job.id),
      std::string_view(same ? event_texts_[place] : work));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::DecisionRow& row) {
  const Decision& decision = *row.decision;
  const std::string body = codec::Encode(decision);
  Run(connection_,
      "INSERT INTO decisions(id, job, event, tenant, outcome, body) VALUES(?, ?, ?, ?, ?, ?)",
      ColumnOf(decision.id), ColumnOf(decision.work), ColumnOf(decision.event),
      std::string_view(decision.tenant), NameOf(decision.outcome), std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::LedgerRow& row) {
  static_assert(kMemberCount<record::LedgerRow> == 19,
                "the ledger has a member that has no column yet");
  Run(connection_,
      "INSERT OR REPLACE INTO ledger(hour, pool, tenant, category, cost, marginal_cost,"
      " baseline_cost, compared_cost, ended, without_baseline, energy, carbon, kind, model,"
      " finished, prompt_tokens, output_tokens, metered_energy, node_time)"
      " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      NanosOf(row.hour), ColumnOf(row.pool), std::string_view(row.tenant), NameOf(row.category),
      row.cost.value(), row.marginal_cost.value(), row.baseline_cost.value(),
      row.compared_cost.value(), row.ended, row.without_baseline, row.energy.value(),
      row.carbon.value(), NameOf(row.kind), std::string_view(row.model), row.finished,
      row.prompt_tokens, row.output_tokens, row.metered_energy.value(),
      absl::ToInt64Nanoseconds(row.node_time));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::BudgetRow& row) {
  static_assert(kMemberCount<record::BudgetRow> == 6,
                "budgets have a member that has no column yet");
  Run(connection_,
      "INSERT OR REPLACE INTO budgets(tenant, period, since, spent, warned, forecast_warned)"
      " VALUES(?, ?, ?, ?, ?, ?)",
      std::string_view(row.tenant), NameOf(row.period), NanosOf(row.since), row.spent.value(),
      std::int64_t{row.warned}, std::int64_t{row.forecast_warned});
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::PoolRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO pools(id, name, body) VALUES(?, ?, ?)",
      ColumnOf(row.pool), std::string_view(row.spec->name), std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::PoolBooksRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO pool_books(pool, body) VALUES(?, ?)", ColumnOf(row.pool),
      std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::ObservationRow& row) {
  if (row.runs.empty()) {
    Run(connection_, "DELETE FROM observations WHERE tenant = ? AND name = ?",
        std::string_view(row.tenant), std::string_view(row.name));
    return absl::OkStatus();
  }
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO observations(tenant, name, body) VALUES(?, ?, ?)",
      std::string_view(row.tenant), std::string_view(row.name), std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::PolicyRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO policies(version, from_file, body) VALUES(?, ?, ?)",
      ColumnOf(row.version), std::int64_t{row.from_file}, std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::CountersRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO counters(id, body) VALUES(1, ?)",
      std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::SpeedRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO speeds(pool, model, body) VALUES(?, ?, ?)",
      ColumnOf(row.pool), std::string_view(row.model), std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::ModelRow& row) {
  const std::string body = codec::Encode(row);
  Run(connection_, "INSERT OR REPLACE INTO models(model, body) VALUES(?, ?)",
      std::string_view(row.model), std::string_view(body));
  return absl::OkStatus();
}

absl::Status RowWriter::Put(const record::RouterRow& row) {
  const std::string body = codec::Encode(*row.inputs);
  Run(connection_, "INSERT INTO routers(id, body) VALUES(?, ?)", ColumnOf(row.inputs->id),
      std::string_view(body));
  return absl::OkStatus();
}

void RowWriter::WriteAnswer(const StoredAnswer& answer) {
  Run(connection_,
      "INSERT OR REPLACE INTO answers(tenant, key, at, body_hash, status, location, body)"
      " VALUES(?, ?, ?, ?, ?, ?, ?)",
      std::string_view(answer.tenant), std::string_view(answer.key), NanosOf(answer.at),
      ColumnOf(answer.body_hash), std::int64_t{answer.status}, std::string_view(answer.location),
      std::string_view(answer.body));
}

}  // namespace spillway::store
