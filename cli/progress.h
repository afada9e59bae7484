#pragma once

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "core/text.h"

namespace spillway::cli {

// One line that is written over, where a person watches.
class Progress {
 public:
  explicit Progress(Console& console) : console_(console) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // "━━━━── 12 of 20 runs"
  void Show(std::int64_t done, std::int64_t all, std::string_view what) {
    if (!console_.error_screen.live) return;
    constexpr std::int64_t kWidth = 30;
    const std::int64_t full = all == 0 ? 0 : done * kWidth / all;
    std::string bar;
    for (std::int64_t i = 0; i < kWidth; ++i) {
      const bool reached = i < full;
      bar += console_.error_screen.unicode ? (reached ? "━" : "─") : (reached ? "#" : "-");
    }
    console_.err << "\r" << bar << absl::StrCat(" ", done, " of ", all, " ", ToAbsl(what))
                 << std::flush;
    shown_ = true;
  }

 private:
  void Clear() {
    if (shown_) console_.err << "\r\033[K" << std::flush;
  }
  Console& console_;
  bool shown_ = false;
};

}  // namespace spillway::cli
