#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "adapters/adapter.h"
#include "adapters/process/files.h"

// The adapter of docs/extend/adapter.md. What stands between the marks stands on the page.
// page begins
namespace spillway {

// A device whose own software watches a folder. We put JOB.ATTEMPT.job there (the arguments, one a
// line) and JOB.ATTEMPT.cancel; the device puts JOB.ATTEMPT.started and, when it is done,
// JOB.ATTEMPT.exit (a number).
class SpoolAdapter final : public JobAdapter {
 public:
  SpoolAdapter(std::string folder, AdapterSink& sink) : folder_(std::move(folder)), sink_(sink) {}

  absl::Status Start(std::uint64_t epoch, absl::Span<const AttemptKey> known) override {
    const std::lock_guard lock(mutex_);
    if (epoch < Epoch()) return absl::AbortedError("a newer controller has the folder");
    ReplaceFile("epoch", absl::StrCat(epoch));
    EndWhatNobodyKnows(known);
    for (const AttemptKey key : known) {
      if (Has(key, ".job")) {
        live_.emplace(key, false);  // Look() tells what has become of it
      } else {
        Put(key, ".job", "");  // takes the name, so that it never starts
        sink_.Post(event::AttemptEnded{.key = key, .fault = Fault::kInfrastructure});
      }
    }
    return absl::OkStatus();
  }

  void Launch(const command::Launch& launch) override {
    const std::lock_guard lock(mutex_);
    if (launch.epoch < Epoch() || Has(launch.key, ".job")) return;  // old, or seen
    const WorkFace face = FaceOf(*launch.work, launch.alternative);
    Put(launch.key, ".job", absl::StrJoin(face.run.command, "\n"));
    live_.emplace(launch.key, false);
  }

  void Cancel(const command::Cancel& cancel) override {
    const std::lock_guard lock(mutex_);
    if (cancel.epoch >= Epoch() && live_.contains(cancel.key)) Put(cancel.key, ".cancel", "");
  }

  void Logs(AttemptKey, LogStream, std::uint64_t, std::size_t, bool, LogAnswer answer) override {
    answer(absl::NotFoundError("this device keeps no output"));
  }

  void Stop() override {
    const std::lock_guard lock(mutex_);
    live_.clear();
  }

  // Called once a second by the thread that owns the folder: what has the device done?
  void Look() {
    const std::lock_guard lock(mutex_);
    for (auto run = live_.begin(); run != live_.end();) {
      auto& [key, started] = *run;
      if (const auto code = ExitCode(key)) {
        sink_.Post(
            event::AttemptEnded{.key = key, .fault = FaultOf(key, *code), .exit_code = code});
        run = live_.erase(run);
        continue;
      }
      if (!started && Has(key, ".started")) {
        started = true;
        sink_.Post(event::AttemptStarted{key});
      }
      ++run;
    }
  }

 private:
  std::string Path(AttemptKey key, const char* what) const {
    return absl::StrCat(folder_, "/", ToString(key.job), ".", key.attempt, what);
  }
  bool Has(AttemptKey key, const char* what) const {
    return access(Path(key, what).c_str(), F_OK) == 0;
  }
  // The newest controller's, as the folder has it: an old one that still lives reads it too.
  std::uint64_t Epoch() const {
    std::uint64_t epoch = 0;
    const auto text = ReadWholeFile(AT_FDCWD, folder_ + "/epoch", 100);
    return text.ok() && absl::SimpleAtoi(*text, &epoch) ? epoch : 0;
  }
  void ReplaceFile(const std::string& name, const std::string& text) const {
    const std::string path = absl::StrCat(folder_, "/", name), draft = path + ".draft";
    WriteWholeFile(AT_FDCWD, draft, text, Durability::kSurvivesPowerLoss).IgnoreError();
    rename(draft.c_str(), path.c_str());
  }
  void EndWhatNobodyKnows(absl::Span<const AttemptKey> known) const {
    std::error_code failed;  // an unreadable folder has no files, then
    for (const auto& file : std::filesystem::directory_iterator(folder_, failed)) {
      const std::string name = file.path().filename();
      const std::vector<std::string> parts = absl::StrSplit(name, '.');  // JOB, ATTEMPT, "job"
      AttemptKey key;
      const auto job = ParseJobId(parts[0]);
      if (parts.size() != 3 || parts[2] != "job" || !job) continue;
      if (!absl::SimpleAtoi(parts[1], &key.attempt)) continue;
      key.job = *job;
      if (absl::c_find(known, key) == known.end() && !Has(key, ".exit")) Put(key, ".cancel", "");
    }
  }
  // Appears whole, and only if no file of that name is there: a seen attempt starts nothing.
  void Put(AttemptKey key, const char* what, const std::string& text) const {
    const std::string path = Path(key, what), draft = path + ".draft";
    WriteWholeFile(AT_FDCWD, draft, text, Durability::kSurvivesPowerLoss).IgnoreError();
    link(draft.c_str(), path.c_str());
    unlink(draft.c_str());
  }
  std::optional<int> ExitCode(AttemptKey key) const {
    int code = 0;
    const auto text = ReadWholeFile(AT_FDCWD, Path(key, ".exit"), 100);
    return text.ok() && absl::SimpleAtoi(*text, &code) ? std::optional(code) : std::nullopt;
  }
  Fault FaultOf(AttemptKey key, int code) const {
    if (Has(key, ".cancel")) return Fault::kCancelled;
    return code == 0 ? Fault::kNone : Fault::kOwn;
  }

  const std::string folder_;
  AdapterSink& sink_;
  std::mutex mutex_;
  std::map<AttemptKey, bool> live_;  // not over -> its start has been told
};

}  // namespace spillway
// page ends
