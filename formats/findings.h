#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "formats/value.h"

// What is wrong with a text that somebody wrote. All that is wrong is collected, up to a bound, so
// that a file need not be mended one error at a time. It crosses rooms as an absl::Status that
// carries the findings beside its message: words for people, pointers for programs.
namespace spillway {

struct InputFinding {
  std::string pointer;                 // RFC 6901: "/needs/memory"; empty: the whole document
  std::uint32_t line = 0, column = 0;  // from 1; 0: not known
  std::string detail;                  // "unknown key `memroy` (did you mean `memory`?)"
  friend bool operator==(const InputFinding&, const InputFinding&) = default;
};

class InputError {
 public:
  static constexpr std::size_t kMaxFindings = 20;  // more are counted, not kept

  // `name`: the file's, for messages "file:line:col: detail"; empty for bodies of requests, whose
  // messages read "/pointer: detail".
  explicit InputError(std::string name = "") : name_(std::move(name)) {}

  void Add(InputFinding finding);
  // What is added from now on is only counted.
  bool is_full() const { return findings_.size() >= kMaxFindings; }
  bool empty() const { return findings_.empty(); }
  std::size_t size() const { return findings_.size() + dropped_; }
  const std::vector<InputFinding>& findings() const { return findings_; }
  const std::string& name() const { return name_; }

  // OK if nothing was found, else kInvalidArgument: one line a finding, with a payload that
  // FindingsOf() reads back.
  absl::Status ToStatus() const;

 private:
  std::string name_;
  std::vector<InputFinding> findings_;
  std::size_t dropped_ = 0;
};

// What somebody sent, as it may stand in a message: in backquotes, short and on one line.
std::string Quoted(std::string_view text);

// "fleet.yaml:3:7: detail", or "/needs/memory: detail" where no file has a name.
std::string Describe(const InputFinding& finding, std::string_view name);

// The findings that a status of this room carries; empty for any other. Note that Annotate()
// (core/status.h) drops them: read them first.
std::vector<InputFinding> FindingsOf(const absl::Status& status);

}  // namespace spillway
