#include <array>
#include <charconv>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "formats/traces/columns.h"

// Traces of requests to language models, in the columns they were published with.
namespace spillway {
namespace {

using Use = TraceColumn::Use;

void ReadAt(TraceField& field, TraceRow& row) { ReadSeconds(field, row.at); }
void ReadPrompt(TraceField& field, TraceRow& row) {
  ReadWhole(field, 0, kMostTraceTokens, row.prompt_tokens);
}
void ReadOutput(TraceField& field, TraceRow& row) {
  ReadWhole(field, 0, kMostTraceTokens, row.output_tokens);
}

// "2023-11-16 18:17:03.9799600", with "+00:00" or "Z" behind it in later releases. ns since 1970.
void ReadTimestamp(TraceField& field, TraceRow& row) {
  constexpr const char* kWanted = "a UTC time like 2023-11-16 18:17:03.9799600";
  std::string_view text = field.text;
  if (text.ends_with("+00:00")) text.remove_suffix(6);
  if (text.ends_with("Z")) text.remove_suffix(1);
  constexpr std::string_view kShape = "0000-00-00 00:00:00";
  if (text.size() < kShape.size()) return field.Fail(kWanted);
  std::array<std::int64_t, 6> parts{};
  std::size_t part = 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != '0') {
      if (text[i] != kShape[i] && !(kShape[i] == ' ' && text[i] == 'T')) {
        return field.Fail(kWanted);
      }
      ++part;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return field.Fail(kWanted);
    parts[part] = parts[part] * 10 + (text[i] - '0');
  }
  const absl::CivilSecond civil(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  const bool is_real = civil.month() == parts[1] && civil.day() == parts[2] &&
                       civil.hour() == parts[3] && civil.minute() == parts[4] &&
                       civil.second() == parts[5];
  if (!is_real || parts[0] < 1970 || parts[0] > 2200) return field.Fail(kWanted);
  std::int64_t nanos = 0, scale = 1'000'000'000;
  text.remove_prefix(kShape.size());
  if (!text.empty()) {
    if (text[0] != '.' || text.size() < 2 || text.size() > 10) return field.Fail(kWanted);
    for (const char c : text.substr(1)) {
      if (c < '0' || c > '9') return field.Fail(kWanted);
      nanos += (c - '0') * (scale /= 10);
    }
  }
  const absl::Time time = absl::FromCivil(civil, absl::UTCTimeZone());
  row.at = absl::ToUnixSeconds(time) * 1'000'000'000 + nanos;
}

void ReadMillis(TraceField& field, TraceRow& row) {
  ReadWhole(field, 0, 3'162'240'000'000, row.at);
  row.at *= 1'000'000;
}
void ReadHash(TraceField& field, TraceRow& row) {
  std::int64_t id = 0;
  ReadWhole(field, 0, std::int64_t{1} << 62, id);
  row.blocks.push_back(static_cast<std::uint64_t>(id));
}
RowVerdict FinishMooncake(TraceRow& row, RowFault& fault) {
  constexpr std::size_t kMost = 65'536;
  if (row.blocks.size() <= kMost) return RowVerdict::kKeep;
  fault.detail = "`hash_ids` has more than 65536 items";
  return RowVerdict::kBad;
}

// The authors: requests that failed have 0 response tokens.
RowVerdict FinishBurstGpt(TraceRow& row, RowFault&) {
  return row.output_tokens == 0 ? RowVerdict::kLeaveOut : RowVerdict::kKeep;
}

}  // namespace

const TraceTable& AzureLlmTable() {
  static constexpr std::array<TraceColumn, 3> kColumns{
      {{"arrival_s", Use::kRequired, ReadAt},
       {"prompt_tokens", Use::kRequired, ReadPrompt},
       {"output_tokens", Use::kRequired, ReadOutput}}};
  static constexpr TraceTable kTable{kColumns};
  return kTable;
}

const TraceTable& AzureLlmRawTable() {
  static constexpr std::array<TraceColumn, 4> kColumns{
      {{"TIMESTAMP", Use::kRequired, ReadTimestamp},
       {"ContextTokens", Use::kRequired, ReadPrompt},
       {"GeneratedTokens", Use::kRequired, ReadOutput},
       {"NumImages", Use::kIgnored}}};
  static constexpr TraceTable kTable{kColumns};
  return kTable;
}

const TraceTable& MooncakeTable() {
  static constexpr std::array<TraceColumn, 4> kColumns{
      {{"timestamp", Use::kRequired, ReadMillis},
       {"input_length", Use::kRequired, ReadPrompt},
       {"output_length", Use::kRequired, ReadOutput},
       {"hash_ids", Use::kRequired, ReadHash, true}}};
  static constexpr TraceTable kTable{kColumns, FinishMooncake};
  return kTable;
}

const TraceTable& BurstGptTable() {
  static constexpr std::array<TraceColumn, 8> kColumns{
      {{"Timestamp", Use::kRequired, ReadAt},
       {"Session ID", Use::kIgnored},
       {"Elapsed time", Use::kIgnored},
       {"Model", Use::kRequired,
        [](TraceField& field, TraceRow& row) { ReadTraceText(field, row.model); }},
       {"Request tokens", Use::kRequired, ReadPrompt},
       {"Response tokens", Use::kRequired, ReadOutput},
       {"Total tokens", Use::kIgnored},
       {"Log Type", Use::kIgnored}}};
  static constexpr TraceTable kTable{kColumns, FinishBurstGpt};
  return kTable;
}

}  // namespace spillway
