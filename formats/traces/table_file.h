#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/findings.h"
#include "formats/traces/lines.h"

namespace spillway {

// A CSV file with a heading, of which some columns are wanted, in any order; others are passed
// over.
class TableFile {
 public:
  static absl::StatusOr<TableFile> Open(const std::string& path,
                                        const std::vector<std::string_view>& columns);

  // The next row that is not empty; false at its end.
  absl::StatusOr<bool> Next();
  std::uint32_t line() const { return file_.number(); }  // of that row, from 1
  // A field of it, by the number of the column that was wanted.
  std::string_view text(std::size_t column) const { return csv_.fields()[places_[column]].text; }
  // Notes that a field is not what is wanted.
  absl::Status Fault(std::size_t column, std::string_view wanted) const;
  absl::StatusOr<double> Decimal(std::size_t column) const;  // finite, >= 0

 private:
  explicit TableFile(LineFile file) : file_(std::move(file)) {}

  LineFile file_;
  CsvLine csv_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> places_;
  std::size_t width_ = 0;
};

// One column of numbers, at most 5,000,000 of them and at least one.
absl::StatusOr<std::vector<double>> ReadCsvColumn(const std::string& path,
                                                  const std::string& column);

}  // namespace spillway
