#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "core/text.h"
#include "formats/json_writer.h"

namespace spillway::cli {

// One line that is written over, where a person watches; or a line of JSON for each step, where a
// program does.
class Progress {
 public:
  enum class Form : std::uint8_t { kBar, kJson };
  explicit Progress(Console& console, Form form = Form::kBar) : console_(console), form_(form) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // "━━━━── 12 of 20 runs"
  void Show(std::int64_t done, std::int64_t all, std::string_view what) {
    if (form_ == Form::kJson) return Line(done, all, what);
    if (!console_.error_screen.live) return;
    constexpr std::int64_t kWidth = 30;
    const std::int64_t full = all == 0 ? 0 : done * kWidth / all;
    std::string bar;
    for (std::int64_t i = 0; i < kWidth; ++i) {
      const bool reached = i < full;
      bar += console_.error_screen.unicode ? (reached ? "━" : "─") : (reached ? "#" : "-");
    }
    console_.err << "\r\033[K" << bar << absl::StrCat(" ", done, " of ", all, " ", ToAbsl(what))
                 << std::flush;
    shown_ = true;
  }

  // "sizing the fleet a10g for chat ...": where it is not known how much there is to do.
  void Say(std::string_view what) {
    if (form_ == Form::kJson) return Line(0, 0, what);
    if (!console_.error_screen.live) return;
    console_.err << "\r\033[K" << Printable(what) << " " << console_.error_screen.Ellipsis()
                 << std::flush;
    shown_ = true;
  }

  // What came of it, for a program.
  void Conclude(std::string_view verdict) {
    if (form_ != Form::kJson) return;
    std::string line;
    JsonWriter(line).BeginObject().Member("verdict", verdict).EndObject();
    console_.err << line << std::endl;
  }

 private:
  void Line(std::int64_t done, std::int64_t all, std::string_view what) {
    std::string line;
    JsonWriter w(line);
    w.BeginObject().Member("done", done).Member("total", all).Member("what", what).EndObject();
    console_.err << line << std::endl;
  }
  void Clear() {
    if (shown_) console_.err << "\r\033[K" << std::flush;
  }
  Console& console_;
  const Form form_;
  bool shown_ = false;
};

// `--progress`: bar, json, or nothing said.
inline absl::StatusOr<Progress::Form> ProgressForm(std::string_view said) {
  if (said.empty() || said == "bar") return Progress::Form::kBar;
  if (said == "json") return Progress::Form::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("--progress: `", ToAbsl(said), "` is neither bar nor json"));
}

}  // namespace spillway::cli
