#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What the place that we write to can show. Decided once, at start, and passed on.
namespace spillway::cli {

enum class Tone : std::uint8_t { kPlain, kStrong, kDim, kGood, kCare, kBad, kAccent };

enum class ColourWish : std::uint8_t { kAuto, kAlways, kNever };
std::optional<ColourWish> ParseColourWish(std::string_view text);

struct Screen {
  bool colour = false;
  bool unicode = false;  // lines and dots beyond ASCII
  int width = 0;         // columns; 0: no limit, since nobody looks at it directly
  bool live = false;     // a person watches: progress may be shown

  // `text` in that tone, or unchanged where there is no colour.
  std::string Paint(Tone tone, std::string_view text) const;
  std::string_view Ellipsis() const { return unicode ? "…" : ".."; }
};

// What decides, so that a test can say it: is it a terminal, how wide, and the environment.
struct ScreenFacts {
  bool terminal = false;
  int terminal_width = 0;
  std::string no_color, term, columns;  // NO_COLOR, TERM, COLUMNS; empty: not set
  bool utf8 = false;                    // the locale's character set
};
Screen DecideScreen(const ScreenFacts& facts, ColourWish wish);

// The same for a file descriptor of this process.
Screen ScreenOf(int fd, ColourWish wish);

// Columns that a text takes: code points, not bytes. Wide characters count as one.
int DisplayWidth(std::string_view text);
// At most `width` columns of it; with `ellipsis` at the end where something was left out.
std::string Cut(std::string_view text, int width, std::string_view ellipsis);
// Control characters, which could move a terminal's cursor or change its colours, become "?".
std::string Printable(std::string_view text);

}  // namespace spillway::cli
