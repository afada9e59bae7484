#include <array>

#include "absl/strings/str_cat.h"
#include "formats/reader.h"
#include "formats/traces/columns.h"
#include "formats/units.h"

// spillway-csv and spillway-jsonl: what anybody may bring along.
namespace spillway {
namespace {

using Use = TraceColumn::Use;

void ReadKind(TraceField& field, TraceRow& row) {
  row.is_job = field.text == "job";
  if (!row.is_job && field.text != "request") field.Fail("`request` or `job`");
}
void ReadDuration(TraceField& field, TraceRow& row) {
  std::int64_t ns = 0;
  ReadSeconds(field, ns);
  if (field.ok && ns == 0) field.Fail("more than 0 seconds");
  row.duration = absl::Nanoseconds(ns);
}
void ReadUnits(TraceField& field, TraceRow& row) {
  const auto units = DecimalOf(field.text);
  if (!units || *units <= 0 || *units > 1e15)
    return field.Fail("a number, more than 0, up to 1e15");
  row.units = *units;
}
void ReadFraction(TraceField& field, TraceRow& row) {
  const auto fraction = DecimalOf(field.text);
  if (!fraction || *fraction <= 0 || *fraction > 1)
    return field.Fail("a number, more than 0, up to 1");
  row.fraction = *fraction;
}
void ReadCpus(TraceField& field, TraceRow& row) {
  const auto cpus = ParseCpus(field.text);
  if (!cpus.ok()) return field.Fail("CPUs like 8 or 0.5");
  row.cpus = *cpus;
}
void ReadMemory(TraceField& field, TraceRow& row) {
  const auto memory = ParseBytes(field.text);
  if (!memory.ok()) return field.Fail("a size like 16GiB");
  row.memory = *memory;
}
template <auto member>
void ReadCount(TraceField& field, TraceRow& row) {
  std::int64_t count = 0;
  ReadWhole(field, 0, 1024, count);
  row.*member = static_cast<int>(count);
}
template <auto member>
void ReadTokens(TraceField& field, TraceRow& row) {
  std::int64_t tokens = 0;
  ReadWhole(field, 0, kMostTraceTokens, tokens);
  row.*member = tokens;
}
template <auto member>
void ReadWord(TraceField& field, TraceRow& row) {
  ReadTraceText(field, row.*member);
}
void ReadName63(TraceField& field, std::string& out) {
  if (!IsName(field.text)) {
    return field.Fail("a name: up to 63 of a-z 0-9 . _ - beginning with a letter or a digit");
  }
  out = field.text;
}
void ReadBlock(TraceField& field, TraceRow& row) {
  std::int64_t id = 0;
  ReadWhole(field, 0, std::int64_t{1} << 62, id);
  row.blocks.push_back(static_cast<std::uint64_t>(id));
}

RowVerdict Finish(TraceRow& row, RowFault& fault) {
  const bool has_class = !row.work_class.empty();
  if (has_class != (row.units > 0)) {
    fault.detail = "`class` and `units` belong together";
  } else if (row.is_job && has_class == row.duration.has_value()) {
    fault.detail = "a job wants either `seconds` or `class` and `units`";
  } else if (!row.is_job && (has_class || row.duration)) {
    fault.detail = "`seconds`, `class` and `units` are for jobs: `kind` is `request`";
  } else if (row.is_job && (row.prompt_tokens > 0 || row.output_tokens > 0)) {
    fault.detail = "tokens are for requests: `kind` is `job`";
  } else if (!row.is_job && row.items < 1) {
    fault.detail = "`items` is 0: a request has at least one";
  } else if (row.nodes < 1) {
    fault.detail = "`nodes` is 0: a job has at least one";
  } else if (row.blocks.size() > 65'536) {
    fault.detail = "`blocks` has more than 65536 items";
  } else {
    return RowVerdict::kKeep;
  }
  return RowVerdict::kBad;
}

}  // namespace

const TraceTable& SpillwayTable() {
  static constexpr std::array<TraceColumn, 18> kColumns{
      {{"arrival_s", Use::kRequired,
        [](TraceField& field, TraceRow& row) { ReadSeconds(field, row.at); }},
       {"kind", Use::kOptional, ReadKind},
       {"tenant", Use::kOptional,
        [](TraceField& field, TraceRow& row) { ReadName63(field, row.tenant); }},
       {"name", Use::kOptional, ReadWord<&TraceRow::name>},
       {"model", Use::kOptional, ReadWord<&TraceRow::model>},
       {"prompt_tokens", Use::kOptional, ReadTokens<&TraceRow::prompt_tokens>},
       {"output_tokens", Use::kOptional, ReadTokens<&TraceRow::output_tokens>},
       {"max_tokens", Use::kOptional, ReadTokens<&TraceRow::max_tokens>},
       {"items", Use::kOptional, ReadTokens<&TraceRow::items>},
       {"blocks", Use::kOptional, ReadBlock, true},
       {"seconds", Use::kOptional, ReadDuration},
       {"class", Use::kOptional,
        [](TraceField& field, TraceRow& row) { ReadName63(field, row.work_class); }},
       {"units", Use::kOptional, ReadUnits},
       {"cpus", Use::kOptional, ReadCpus},
       {"memory", Use::kOptional, ReadMemory},
       {"devices", Use::kOptional, ReadCount<&TraceRow::devices>},
       {"fraction", Use::kOptional, ReadFraction},
       {"nodes", Use::kOptional, ReadCount<&TraceRow::nodes>}}};
  static constexpr TraceTable kTable{kColumns, Finish};
  return kTable;
}

}  // namespace spillway
