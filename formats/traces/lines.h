#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace spillway {

// A text file line by line, in memory that does not grow with the file.
class LineFile {
 public:
  static constexpr std::size_t kMostBytes = 1 << 20;  // of one line

  // kNotFound, kInvalidArgument (a folder) or kUnavailable otherwise.
  static absl::StatusOr<LineFile> Open(const std::string& path);
  LineFile(LineFile&&) noexcept;
  LineFile& operator=(LineFile&&) noexcept;
  ~LineFile();

  // The next line without its end (LF or CR LF), valid until the next call. False at the end of the
  // file, and at a fault: see status().
  bool Next(std::string_view& line);
  // Why it ended early: a line that is too long, a file that cannot be read.
  const absl::Status& status() const { return status_; }
  std::uint32_t number() const { return number_; }  // of the last line, from 1
  const std::string& path() const { return path_; }

 private:
  struct Input;
  LineFile(std::string path, std::unique_ptr<Input> input);
  bool Fill();

  std::string path_;
  std::unique_ptr<Input> input_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint32_t number_ = 0;
  bool at_end_ = false;
  absl::Status status_;
};

// One field of a line, and where it stands there (bytes, from 1).
struct CsvField {
  std::string_view text;
  std::uint32_t column = 1;
};

// Splits a line at commas (RFC 4180: a field may stand in quotes, with quotes in it doubled; no
// field goes over several lines). Fields refer to the line, or to memory of this object.
class CsvLine {
 public:
  static constexpr std::size_t kMostFields = 256;

  // Null, or what is wrong; then `column()` tells where.
  const char* Split(std::string_view line);
  const std::vector<CsvField>& fields() const { return fields_; }
  std::uint32_t column() const { return column_; }

 private:
  std::vector<CsvField> fields_;
  std::vector<std::string> resolved_;  // of quoted fields that hold quotes
  std::uint32_t column_ = 1;
};

}  // namespace spillway
