#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>

#include "absl/status/status.h"
#include "cli/screen.h"
#include "formats/value.h"

namespace spillway::cli {

enum class OutputFormat : std::uint8_t { kTable, kWide, kJson, kYaml, kName };
std::optional<OutputFormat> ParseFormat(std::string_view text);

// Where a command writes: data to `out`, everything that is said about it to `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
  Screen screen;        // of out
  Screen error_screen;  // of err
  OutputFormat format = OutputFormat::kTable;
  bool has_printed = false;  // a document

  bool for_people() const {
    return format == OutputFormat::kTable || format == OutputFormat::kWide;
  }
  bool wide() const { return format == OutputFormat::kWide; }

  // For -o json, yaml and name: the document itself, or the id or name of each thing in it. Several
  // are JSON texts in a row, or one YAML stream.
  void Print(const Value& document);
  // The same for a document that was written as JSON already; gives the exit code.
  int PrintJson(std::string_view json);
  // "error: ..." and what follows it, to `err`.
  void Complain(std::string_view message);
  void Warn(std::string_view message);
  // A word to a person who watches; nothing in a pipe.
  void Say(std::string_view message);
  // The same for a status of this side; gives the exit code.
  int Fail(const absl::Status& status);
};

}  // namespace spillway::cli
