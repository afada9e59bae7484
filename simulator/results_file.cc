#include "simulator/results_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/file_text.h"
#include "formats/scenario_lock.h"
#include "formats/yaml_writer.h"
#include "simulator/report/report.h"

namespace spillway {
namespace {

absl::Status SystemFault(std::string_view what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(ToAbsl(what), " ", path, ": ", std::strerror(errno)));
}

// Files that appear together or not at all: written beside their places, then renamed.
class Together {
 public:
  explicit Together(std::string folder) : folder_(std::move(folder)) {}
  ~Together() {
    for (const std::string& name : written_) ::unlink(Beside(name).c_str());
  }
  absl::Status Write(const std::string& name, std::string_view text) {
    written_.push_back(name);
    return WriteTextFile(Beside(name), text);
  }
  // What is in the way (a folder of that name) is found before the first file is replaced.
  absl::Status Appear() {
    for (const std::string& name : written_) {
      std::error_code error;
      if (std::filesystem::is_directory(Place(name), error))
        return absl::InvalidArgumentError(
            absl::StrCat("writing ", Place(name), ": it is a folder"));
    }
    for (std::size_t i = 0; i < written_.size(); ++i) {
      if (::rename(Beside(written_[i]).c_str(), Place(written_[i]).c_str()) == 0) continue;
      absl::Status status = SystemFault("writing", Place(written_[i]));
      for (std::size_t k = 0; k < i; ++k) ::unlink(Place(written_[k]).c_str());
      return status;
    }
    written_.clear();
    return absl::OkStatus();
  }

 private:
  std::string Place(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  std::string Beside(const std::string& name) const {
    return absl::StrCat(folder_, "/.", name, ".part");
  }
  std::string folder_;
  std::vector<std::string> written_;
};

// Held while the files of one run are put into their places.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (file_ >= 0) ::flock(file_, LOCK_EX);  // where there are no locks, there is none
  }
  ~FolderLock() {
    if (file_ >= 0) ::close(file_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder)) return absl::OkStatus();
  if (std::filesystem::exists(folder))
    return absl::InvalidArgumentError(absl::StrCat("writing to ", folder, ": it is no folder"));
  return absl::UnavailableError(absl::StrCat("making the folder ", folder, ": ", error.message()));
}

absl::StatusOr<std::string> LockText(const ExperimentOutcome& outcome,
                                     const ScenarioSpec& scenario) {
  SPILLWAY_ASSIGN_OR_RETURN(Value lock, LockScenario(scenario));
  if (!outcome.sized.empty()) {
    Value& sized = lock.Find("resolved")->Set("sized", Value::MakeList());
    for (const SizedFleet& fleet : outcome.sized) {
      Value& entry = sized.Append(Value::MakeMap());
      entry.Set("fleet", Value::MakeString(fleet.fleet));
      entry.Set("workload", Value::MakeString(fleet.workload));
      entry.Set("nodes", Value::MakeInteger(fleet.nodes));
      entry.Set("reached", Value::MakeBool(fleet.reached));
    }
  }
  return WriteYaml(lock);
}

}  // namespace

absl::StatusOr<bool> PrepareFolder(const std::string& folder) {
  std::error_code ignored;
  const bool was_there = std::filesystem::exists(folder, ignored);
  SPILLWAY_RETURN_IF_ERROR(MakeFolder(folder));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return SystemFault("writing to", folder);
  return !was_there;
}

absl::Status WriteResults(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          const std::string& command_line, const std::string& folder) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string lock, LockText(outcome, scenario));
  SPILLWAY_RETURN_IF_ERROR(MakeFolder(folder));
  const FolderLock lock_of_folder(folder);
  Together files(folder);
  const std::pair<const char*, std::string> texts[] = {
      {"scenario.lock.yaml", lock},
      {"results.csv", ResultsCsv(outcome)},
      {"summary.md", ResultsSummary(outcome, scenario, command_line)},
      {"report.html", ReportHtml(outcome, scenario, command_line)},
      {"results.json", ResultsJson(outcome, scenario)},  // the last: who sees it sees all
  };
  for (const auto& [name, text] : texts) SPILLWAY_RETURN_IF_ERROR(files.Write(name, text));
  return files.Appear();
}

}  // namespace spillway
