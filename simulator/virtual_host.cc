#include "simulator/virtual_host.h"

#include <utility>
#include <variant>

namespace spillway {

Reply VirtualHost::Post(event::Body body, absl::Time now) {
  effects_.Clear();
  const Event event{.number = EventNumber{++number_}, .at = now, .body = std::move(body)};
  Reply reply = brain_.Handle(event, effects_);
  for (Record& record : effects_.records) {
    if (auto* row = std::get_if<record::LedgerRow>(&record)) {
      ledger_[KeyOf(*row)] = std::move(*row);
    } else if (auto* job = std::get_if<record::JobRow>(&record)) {
      jobs_.push_back(std::move(job->job));
    } else if (auto* row = std::get_if<record::DecisionRow>(&record)) {
      decisions_.push_back(std::move(row->decision));
    }
  }
  for (Command& command : effects_.commands) commands_.push_back(std::move(command));
  return reply;
}

std::vector<record::LedgerRow> VirtualHost::Ledger(absl::Time now) const {
  auto all = ledger_;
  for (record::LedgerRow& row : brain_.OpenLedger(now)) all[KeyOf(row)] = std::move(row);
  std::vector<record::LedgerRow> rows;
  rows.reserve(all.size());
  for (auto& [key, row] : all) rows.push_back(std::move(row));
  return rows;
}

}  // namespace spillway
