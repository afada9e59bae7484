#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "controller/archive.h"
#include "controller/store/connection.h"

namespace spillway::store {

// Puts the parts of one batch into the tables, within a transaction that the caller began. Throws
// SQLite::Exception where SQLite fails; gives a status where the batch itself is wrong.
class RowWriter {
 public:
  explicit RowWriter(Connection& connection) : connection_(connection) {}

  absl::Status Write(const Batch& batch);

 private:
  absl::Status WriteEvents(const Batch& batch);
  void WriteEvent(const Event& event, std::string_view text);
  absl::Status WriteRecords(const Batch& batch);
  absl::Status Put(const record::JobRow& row, bool is_new, const Batch& batch);
  absl::Status Put(const record::DecisionRow& row);
  absl::Status Put(const record::LedgerRow& row);
  absl::Status Put(const record::BudgetRow& row);
  absl::Status Put(const record::PoolRow& row);
  absl::Status Put(const record::PoolBooksRow& row);
  absl::Status Put(const record::ObservationRow& row);
  absl::Status Put(const record::PolicyRow& row);
  absl::Status Put(const record::CountersRow& row);
  absl::Status Put(const record::SpeedRow& row);
  absl::Status Put(const record::ModelRow& row);
  absl::Status Put(const record::RouterRow& row);
  void WriteAnswer(const StoredAnswer& answer);

  Connection& connection_;
  // Texts of the batch's events, so that the work of a new job, which stands in its submission too,
  // is encoded once.
  std::vector<std::string> event_texts_;
};

}  // namespace spillway::store
