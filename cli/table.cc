#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kGap = 2;              // blanks between columns
constexpr int kNarrowestColumn = 8;  // a squeezed column keeps this much

std::string Padded(std::string_view text, int width, Align align) {
  const int missing = std::max(0, width - DisplayWidth(text));
  const std::string blanks(static_cast<std::size_t>(missing), ' ');
  return align == Align::kLeft ? absl::StrCat(ToAbsl(text), blanks)
                               : absl::StrCat(blanks, ToAbsl(text));
}

// Blanks go behind the painted text, so that a tone never colours the gap.
std::string Painted(const Cell& cell, std::string_view text, int width, Align align,
                    const Screen& screen) {
  std::string padded = Padded(text, width, align);
  if (cell.tone == Tone::kPlain || text.empty()) return padded;
  const std::size_t at = align == Align::kLeft ? 0 : padded.size() - text.size();
  return absl::StrCat(padded.substr(0, at), screen.Paint(cell.tone, text),
                      padded.substr(at + text.size()));
}

void TrimEnd(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

std::size_t BytesOf(std::string_view text, int columns) { return Cut(text, columns, "").size(); }

}  // namespace

std::vector<std::string> WrapWords(std::string_view text, int width) {
  width = std::max(width, 1);
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    std::string_view word = text.substr(0, text.find(' '));
    const int room = width - DisplayWidth(lines.back()) - (lines.back().empty() ? 0 : 1);
    if (DisplayWidth(word) > room && !lines.back().empty()) {
      lines.emplace_back();
      continue;
    }
    if (DisplayWidth(word) > width) word = word.substr(0, BytesOf(word, width));
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    text.remove_prefix(word.size());
  }
  return lines;
}

void Table::Add(std::vector<Cell> row) {
  SPILLWAY_CHECK(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = Printable(cell.text);
  rows_.push_back({std::move(row), -1});
}

void Table::AddNote(int indent, Cell words) {
  words.text = Printable(words.text);
  rows_.push_back({{std::move(words)}, indent});
}

void Table::AddRule() { rows_.emplace_back(); }

std::vector<int> Table::Widths(const Screen& screen) const {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int widest = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) {
      if (row.is_row()) widest = std::max(widest, DisplayWidth(row.cells[i].text));
    }
    widths.push_back(widest);
  }
  if (screen.width <= 0) return widths;
  const int gaps = kGap * static_cast<int>(columns_.size() - 1);
  int excess = std::accumulate(widths.begin(), widths.end(), gaps) - screen.width;
  // The widest column that may give way gives one column at a time, so that they end up alike.
  while (excess-- > 0) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].squeeze == Squeeze::kNever || widths[i] <= kNarrowestColumn) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }
  return widths;
}

std::string Table::Line(const std::vector<int>& widths, const Screen& screen) const {
  const int total =
      std::accumulate(widths.begin(), widths.end(), kGap * static_cast<int>(widths.size() - 1));
  std::string line;
  for (int i = 0; i < total; ++i) line += screen.unicode ? "─" : "-";
  return screen.Paint(Tone::kDim, line) + "\n";
}

std::string Table::Row(const std::vector<Cell>& row, const std::vector<int>& widths,
                       const Screen& screen) const {
  std::vector<std::vector<std::string>> pieces;
  std::size_t height = 1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    pieces.push_back(
        columns_[i].squeeze == Squeeze::kWrap
            ? WrapWords(row[i].text, widths[i])
            : std::vector{
                  Cut(row[i].text,
                      columns_[i].squeeze == Squeeze::kCut ? widths[i] : DisplayWidth(row[i].text),
                      screen.Ellipsis())});
    height = std::max(height, pieces.back().size());
  }
  std::string out;
  for (std::size_t h = 0; h < height; ++h) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line.append(kGap, ' ');
      const std::string_view piece = h < pieces[i].size() ? pieces[i][h] : std::string_view();
      line += Painted(row[i], piece, widths[i], columns_[i].align, screen);
    }
    TrimEnd(line);
    absl::StrAppend(&out, line, "\n");
  }
  return out;
}

std::string Table::Note(const Entry& note, const std::vector<int>& widths,
                        const Screen& screen) const {
  const int total =
      std::accumulate(widths.begin(), widths.end(), kGap * static_cast<int>(widths.size() - 1));
  const int room = screen.width > 0 ? std::max(screen.width, total) - note.note_indent : 10'000;
  const Cell& cell = note.cells.front();
  std::string out;
  for (const std::string& line : WrapWords(cell.text, room)) {
    const std::string blanks(static_cast<std::size_t>(note.note_indent), ' ');
    absl::StrAppend(&out, blanks, screen.Paint(cell.tone, line), "\n");
  }
  return out;
}

std::string Table::Render(const Screen& screen) const {
  const std::vector<int> widths = Widths(screen);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Tone::kStrong);
  std::string out = Row(titles, widths, screen) + Line(widths, screen);
  bool first = true;
  for (const Entry& entry : rows_) {
    if (entry.note_indent >= 0) {
      out += Note(entry, widths, screen);
    } else if (entry.cells.empty()) {
      out += Line(widths, screen);
      first = true;
    } else {
      if (ruled_ && !first) out += Line(widths, screen);
      out += Row(entry.cells, widths, screen);
      first = false;
    }
  }
  return out;
}

}  // namespace spillway::cli
