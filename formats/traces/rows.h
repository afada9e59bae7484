#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/findings.h"
#include "formats/traces/columns.h"
#include "formats/traces/lines.h"
#include "formats/traces/reader.h"

// From lines to rows, by a format's table. For the readers in this folder.
namespace spillway {

struct RowOptions {
  bool is_json = false;
  std::int64_t skip_bad = 0;
  bool times_by_tenant = false;  // order is asked of each tenant's rows alone
};

class RowReader {
 public:
  static absl::StatusOr<RowReader> Open(const std::string& path, const TraceTable& table,
                                        const RowOptions& options);

  // Rows in the order of the file, empty lines left aside.
  absl::StatusOr<bool> Next(TraceRow& row);
  const TraceReport& report() const { return report_; }
  TraceReport& report() { return report_; }
  const std::string& path() const { return file_.path(); }
  // A finding at the row that was read last.
  absl::Status Fault(std::string detail) const;

 private:
  RowReader(LineFile file, const TraceTable& table, const RowOptions& options)
      : file_(std::move(file)), table_(&table), options_(options) {}

  absl::Status ReadHeading();
  RowVerdict Read(std::string_view line, TraceRow& row, RowFault& fault);
  bool ReadCsv(std::string_view line, TraceRow& row, RowFault& fault);
  bool ReadJson(std::string_view line, TraceRow& row, RowFault& fault);
  bool InOrder(const TraceRow& row, RowFault& fault);
  absl::Status Skip(const RowFault& fault);

  LineFile file_;
  const TraceTable* table_;
  RowOptions options_;
  CsvLine csv_;
  std::vector<const TraceColumn*> heading_;                // by field
  std::vector<bool> seen_;                                 // by column, of one JSON line
  std::map<std::string, std::int64_t, std::less<>> last_;  // time, by tenant
  TraceReport report_;
};

}  // namespace spillway
