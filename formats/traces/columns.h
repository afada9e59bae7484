#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/units.h"
#include "formats/traces/row.h"

// What the columns of a trace mean: a table for each format, the same for CSV headings and JSON
// keys. For the readers in this folder.
namespace spillway {

// Why a line is no row, and where in it.
struct RowFault {
  std::uint32_t column = 1;  // in bytes, from 1
  std::string detail;        // "`output_tokens` is `many`: wants ..."
};

// One field. A reader puts what it says into the row, or calls Fail() with what is wanted.
struct TraceField {
  std::string_view text;
  bool ok = true;
  std::string wanted;
  void Fail(std::string what) {
    ok = false;
    wanted = std::move(what);
  }
};

struct TraceColumn {
  enum class Use : std::uint8_t {
    kRequired,
    kOptional,  // may be missing, or empty in a row
    kIgnored,   // known, and not looked at
  };
  std::string_view name;
  Use use = Use::kRequired;
  void (*read)(TraceField& field, TraceRow& row) = nullptr;
  bool is_list = false;  // read() adds one item; CSV separates them by spaces, JSON has an array
};

enum class RowVerdict : std::uint8_t {
  kKeep,
  kLeaveOut,  // it stands for nothing that arrives: counted
  kBad
};

struct TraceTable {
  std::span<const TraceColumn> columns;
  // After all fields of a row; null: keep it. Sets fault.detail for kBad.
  RowVerdict (*finish)(TraceRow& row, RowFault& fault) = nullptr;
};

const TraceTable& AzureLlmTable();
const TraceTable& AzureLlmRawTable();
const TraceTable& MooncakeTable();
const TraceTable& BurstGptTable();
const TraceTable& OpenBTable();
const TraceTable& GavelTable();
const TraceTable& SpillwayTable();

// ---- Readers of one field.

// Finite, not negative; no sign, blanks or words.
std::optional<double> DecimalOf(std::string_view text);
// Digits only, low to high.
std::optional<std::int64_t> WholeOf(std::string_view text, std::int64_t low, std::int64_t high);
void ReadWhole(TraceField& field, std::int64_t low, std::int64_t high, std::int64_t& out);
// "4.3146": seconds as ns, to the nearest; at most 100 years.
void ReadSeconds(TraceField& field, std::int64_t& ns);
void ReadTraceText(TraceField& field, std::string& out);  // 1 to 128 printable bytes

// "ResNet-50 (batch size 64)" as a name of a work class: "resnet-50-bs64".
std::string ClassNameOf(std::string_view job_type);

}  // namespace spillway
