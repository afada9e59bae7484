#include "adapters/process/records.h"

#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway {
namespace {

enum class Kind : std::uint8_t { kKey = 1, kStarted, kStatus, kEnd, kEpoch };
constexpr std::size_t kMaxRecord = kMaxMessage + 4096;
constexpr const char* kKeySuffix = ".key";
constexpr const char* kStartedSuffix = ".started";
constexpr const char* kStatusSuffix = ".status";
constexpr const char* kEndSuffix = ".end";

struct EpochRecord {
  std::uint64_t epoch = 0;
};
template <class Archive>
void Fields(Archive& archive, EpochRecord& m) {
  archive(m.epoch);
}

template <class Record>
std::string Sealed(Kind kind, const Record& record) {
  return Seal(static_cast<std::uint8_t>(kind), Encode(record));
}

template <class Record>
absl::StatusOr<Record> ReadRecord(int folder, const std::string& name, Kind kind) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string file, ReadWholeFile(folder, name, kMaxRecord));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string body, Unseal(static_cast<std::uint8_t>(kind), file));
  auto record = Decode<Record>(body);
  if (!record)
    return absl::DataLossError(absl::StrCat("cannot read ", name, ": its fields do not add up"));
  return *std::move(record);
}

template <class Record>
std::optional<Record> ReadIfGood(int folder, const std::string& name, Kind kind) {
  auto record = ReadRecord<Record>(folder, name, kind);
  return record.ok() ? std::optional<Record>(*std::move(record)) : std::nullopt;
}

}  // namespace

std::string RunName(AttemptKey key) { return absl::StrCat(ToString(key.job), ".", key.attempt); }

std::optional<AttemptKey> ParseRunName(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto job = ParseJobId(name.substr(0, dot));
  AttemptKey key;
  if (!job || !absl::SimpleAtoi(ToAbsl(name.substr(dot + 1)), &key.attempt) || key.attempt < 1)
    return std::nullopt;
  key.job = *job;
  return RunName(key) == name ? std::optional(key) : std::nullopt;
}

absl::StatusOr<std::map<AttemptKey, FoundRun>> RunRecords::Load(int& unreadable) const {
  SPILLWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_.get()));
  std::map<AttemptKey, FoundRun> found;
  for (const std::string& name : names) {
    const std::size_t dot = name.rfind('.');
    const std::string suffix = dot == std::string::npos ? "" : name.substr(dot);
    const auto key = ParseRunName(std::string_view(name).substr(0, dot));
    if (!key) continue;
    FoundRun& run = found[*key];
    bool good = true;
    if (suffix == kKeySuffix) {
      good = (run.key = ReadIfGood<KeyRecord>(folder_.get(), name, Kind::kKey)).has_value();
    } else if (suffix == kStartedSuffix) {
      good = (run.started = ReadIfGood<StartedRecord>(folder_.get(), name, Kind::kStarted))
                 .has_value();
    } else if (suffix == kStatusSuffix) {
      good =
          (run.status = ReadIfGood<StatusRecord>(folder_.get(), name, Kind::kStatus)).has_value();
    } else if (suffix == kEndSuffix) {
      good = (run.end = ReadIfGood<EndRecord>(folder_.get(), name, Kind::kEnd)).has_value();
    }
    unreadable += good ? 0 : 1;
  }
  return found;
}

absl::Status RunRecords::Write(AttemptKey key, const KeyRecord& record) const {
  return WriteWholeFile(folder_.get(), RunName(key) + kKeySuffix, Sealed(Kind::kKey, record),
                        Durability::kSurvivesPowerLoss);
}

absl::Status RunRecords::Write(AttemptKey key, const EndRecord& record,
                               Durability durability) const {
  return WriteWholeFile(folder_.get(), RunName(key) + kEndSuffix, Sealed(Kind::kEnd, record),
                        durability);
}

void RunRecords::RemoveAllButEnd(AttemptKey key) const {
  for (const char* suffix : {kStatusSuffix, kStartedSuffix, kKeySuffix}) {
    unlinkat(folder_.get(), (RunName(key) + suffix).c_str(), 0);
  }
}

void RunRecords::Remove(AttemptKey key) const {
  RemoveAllButEnd(key);
  unlinkat(folder_.get(), (RunName(key) + kEndSuffix).c_str(), 0);
}

std::optional<StatusRecord> RunRecords::ReadStatus(AttemptKey key) const {
  return ReadIfGood<StatusRecord>(folder_.get(), RunName(key) + kStatusSuffix, Kind::kStatus);
}

std::optional<StartedRecord> RunRecords::ReadStarted(AttemptKey key) const {
  return ReadIfGood<StartedRecord>(folder_.get(), RunName(key) + kStartedSuffix, Kind::kStarted);
}

absl::Status WriteRecord(int folder, AttemptKey key, const StartedRecord& record) {
  return WriteWholeFile(folder, RunName(key) + kStartedSuffix, Sealed(Kind::kStarted, record),
                        Durability::kSurvivesKill);
}

absl::Status WriteRecord(int folder, AttemptKey key, const StatusRecord& record) {
  return WriteWholeFile(folder, RunName(key) + kStatusSuffix, Sealed(Kind::kStatus, record),
                        Durability::kSurvivesPowerLoss);
}

absl::StatusOr<std::uint64_t> ReadEpoch(int dir) {
  auto record = ReadRecord<EpochRecord>(dir, "supervisor.epoch", Kind::kEpoch);
  if (absl::IsNotFound(record.status())) return 0;
  if (!record.ok()) return Annotate(record.status(), "cannot read the newest epoch");
  return record->epoch;
}

absl::Status WriteEpoch(int dir, std::uint64_t epoch) {
  return WriteWholeFile(dir, "supervisor.epoch", Sealed(Kind::kEpoch, EpochRecord{epoch}),
                        Durability::kSurvivesPowerLoss);
}

}  // namespace spillway
