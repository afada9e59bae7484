#include <array>

#include "absl/strings/str_cat.h"
#include "formats/reader.h"
#include "formats/traces/columns.h"

// Traces of jobs, in the columns they were published with.
namespace spillway {
namespace {

using Use = TraceColumn::Use;

void ReadAt(TraceField& field, TraceRow& row) { ReadSeconds(field, row.at); }
void ReadName(TraceField& field, TraceRow& row) { ReadTraceText(field, row.name); }
void ReadDevices(TraceField& field, TraceRow& row) {
  std::int64_t count = 0;
  ReadWhole(field, 0, 1024, count);
  row.devices = static_cast<int>(count);
}
void ReadMilliCpus(TraceField& field, TraceRow& row) {
  std::int64_t milli = 0;
  ReadWhole(field, 1, 1'000'000'000, milli);
  row.cpus = MilliCpus(milli);
}
void ReadMebibytes(TraceField& field, TraceRow& row) {
  std::int64_t mebibytes = 0;
  ReadWhole(field, 0, std::int64_t{1} << 40, mebibytes);
  row.memory = Bytes(mebibytes << 20);
}
void ReadMilliDevice(TraceField& field, TraceRow& row) {
  std::int64_t milli = 0;
  ReadWhole(field, 0, 1000, milli);
  if (milli > 0) row.fraction = static_cast<double>(milli) / 1000;
}
void ReadEvent(TraceField& field, std::optional<std::int64_t>& out) {
  std::int64_t ns = 0;
  ReadSeconds(field, ns);
  out = ns;
}

// A pod ran from when it was scheduled (where it never was: created) until it was deleted.
RowVerdict FinishOpenB(TraceRow& row, RowFault& fault) {
  row.is_job = true;
  const std::int64_t begin = row.scheduled.value_or(row.at);
  if (begin < row.at || *row.deleted < begin) {
    fault.detail = "wants creation_time <= scheduled_time <= deletion_time";
    return RowVerdict::kBad;
  }
  row.duration = absl::Nanoseconds(*row.deleted - begin);
  return RowVerdict::kKeep;
}

RowVerdict FinishGavel(TraceRow& row, RowFault&) {
  row.is_job = true;
  row.name = row.work_class;
  return RowVerdict::kKeep;
}

}  // namespace

const TraceTable& OpenBTable() {
  static constexpr std::array<TraceColumn, 11> kColumns{
      {{"name", Use::kRequired, ReadName},
       {"cpu_milli", Use::kRequired, ReadMilliCpus},
       {"memory_mib", Use::kRequired, ReadMebibytes},
       {"num_gpu", Use::kRequired, ReadDevices},
       {"gpu_milli", Use::kRequired, ReadMilliDevice},
       {"gpu_spec", Use::kIgnored},
       {"qos", Use::kIgnored},
       {"pod_phase", Use::kIgnored},
       {"creation_time", Use::kRequired, ReadAt},
       {"deletion_time", Use::kRequired,
        [](TraceField& field, TraceRow& row) { ReadEvent(field, row.deleted); }},
       {"scheduled_time", Use::kOptional,
        [](TraceField& field, TraceRow& row) { ReadEvent(field, row.scheduled); }}}};
  static constexpr TraceTable kTable{kColumns, FinishOpenB};
  return kTable;
}

const TraceTable& GavelTable() {
  static constexpr std::array<TraceColumn, 5> kColumns{
      {{"virtual_cluster", Use::kOptional,
        [](TraceField& field, TraceRow& row) { ReadTraceText(field, row.tenant); }},
       {"job_type", Use::kRequired,
        [](TraceField& field, TraceRow& row) {
          std::string type;
          ReadTraceText(field, type);
          row.work_class = ClassNameOf(type);
          if (field.ok && !IsName(row.work_class)) field.Fail("a name of up to 63 characters");
        }},
       {"total_steps", Use::kRequired,
        [](TraceField& field, TraceRow& row) {
          std::int64_t steps = 0;
          ReadWhole(field, 1, std::int64_t{1} << 50, steps);
          row.units = static_cast<double>(steps);
        }},
       {"arrival_s", Use::kRequired, ReadAt},
       {"num_workers", Use::kRequired, ReadDevices}}};
  static constexpr TraceTable kTable{kColumns, FinishGavel};
  return kTable;
}

}  // namespace spillway
