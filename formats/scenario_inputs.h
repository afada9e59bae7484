#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/scenario.h"
#include "formats/reader.h"

namespace spillway {

// Hash and size of a file's content, read in pieces. kNotFound, kInvalidArgument (a folder) or
// kUnavailable otherwise.
absl::StatusOr<ScenarioInput> HashFile(const std::string& path);

// The same of a text.
ScenarioInput HashText(std::string_view text);

// The files that one scenario names: where they are, what they held, what was wrong with them.
class ScenarioInputs {
 public:
  // `library`: see LoadScenario; empty: files stand relative to the scenario's own folder, and any
  // may be named.
  explicit ScenarioInputs(const std::string& scenario_path, std::string library = "");

  // How a file that the scenario names can be opened from here: relative to the scenario's folder.
  std::string PathOf(std::string_view named) const;
  // And back.
  std::string NamedAs(std::string_view path) const;
  const std::string& folder() const { return folder_; }  // ".", or without a slash at its end

  // Hashes a file and keeps it as an input, once. False, and noted at `at`, if it cannot be read.
  bool Take(const Place& at, const std::string& named, std::string_view what);
  // The same, with its text.
  bool Read(const Place& at, const std::string& named, std::string_view what, std::string& text);

  // What is wrong inside of a file that was named; told beside the scenario's own findings.
  void AddFault(const absl::Status& fault);
  const std::vector<std::string>& faults() const { return faults_; }
  void Add(ScenarioInput input) { inputs_.push_back(std::move(input)); }
  std::vector<ScenarioInput> TakeAll() { return std::move(inputs_); }

 private:
  bool MayBeNamed(const std::string& path) const;

  std::string library_;
  std::string folder_ = ".";
  std::vector<ScenarioInput> inputs_;
  std::vector<std::string> faults_;
};

}  // namespace spillway
