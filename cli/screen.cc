#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <langinfo.h>
#include <clocale>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kNarrowest = 40;  // narrower than this a table is no table any more

std::string_view SequenceOf(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kStrong:
      return "\x1b[1m";
    case Tone::kDim:
      return "\x1b[2m";
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kCare:
      return "\x1b[33m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kAccent:
      return "\x1b[36m";
  }
  return "";
}

bool StartsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::optional<ColourWish> ParseColourWish(std::string_view text) {
  if (text == "auto") return ColourWish::kAuto;
  if (text == "always") return ColourWish::kAlways;
  if (text == "never") return ColourWish::kNever;
  return std::nullopt;
}

std::string Screen::Paint(Tone tone, std::string_view text) const {
  if (!colour || tone == Tone::kPlain || text.empty()) return std::string(text);
  return absl::StrCat(ToAbsl(SequenceOf(tone)), ToAbsl(text), "\x1b[0m");
}

Screen DecideScreen(const ScreenFacts& facts, ColourWish wish) {
  Screen screen;
  screen.colour = wish == ColourWish::kAlways || (wish == ColourWish::kAuto && facts.terminal &&
                                                  facts.no_color.empty() && facts.term != "dumb");
  screen.unicode = facts.utf8;
  screen.live = facts.terminal && facts.term != "dumb";
  // Whoever sets COLUMNS knows better, be it a terminal or not.
  int columns = 0;
  if (absl::SimpleAtoi(facts.columns, &columns) && columns > 0)
    screen.width = columns;
  else if (facts.terminal)
    screen.width = facts.terminal_width;
  if (screen.width > 0 && screen.width < kNarrowest) screen.width = kNarrowest;
  return screen;
}

Screen ScreenOf(int fd, ColourWish wish) {
  std::setlocale(LC_CTYPE, "");
  ScreenFacts facts;
  facts.terminal = isatty(fd) == 1;
  winsize size{};
  if (facts.terminal && ioctl(fd, TIOCGWINSZ, &size) == 0) facts.terminal_width = size.ws_col;
  facts.no_color = FromEnvironment("NO_COLOR");
  facts.term = FromEnvironment("TERM");
  facts.columns = FromEnvironment("COLUMNS");
  facts.utf8 = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  return DecideScreen(facts, wish);
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (const char c : text) width += StartsCodePoint(c);
  return width;
}

std::string Cut(std::string_view text, int width, std::string_view ellipsis) {
  if (DisplayWidth(text) <= width) return std::string(text);
  const int keep = std::max(0, width - DisplayWidth(ellipsis));
  int seen = 0;
  std::size_t end = 0;
  while (end < text.size() && (seen += StartsCodePoint(text[end])) <= keep) ++end;
  return absl::StrCat(ToAbsl(text.substr(0, end)), ToAbsl(ellipsis));
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return out;
}

}  // namespace spillway::cli
