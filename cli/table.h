#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/screen.h"

// Tables for people: aligned, coloured, never wider than the terminal.
namespace spillway::cli {

enum class Align : std::uint8_t { kLeft, kRight };

// What happens to a column when the table is wider than the screen.
enum class Squeeze : std::uint8_t {
  kNever,  // identifiers and figures: half of one is worse than none
  kCut,    // ends in an ellipsis
  kWrap,   // goes on in the next line
};

struct Column {
  std::string title;
  Align align = Align::kLeft;
  Squeeze squeeze = Squeeze::kNever;
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
  Cell(std::string_view t, Tone tone_of_it = Tone::kPlain) : text(t), tone(tone_of_it) {}  // NOLINT
  Cell(const std::string& t, Tone tone_of_it = Tone::kPlain)
      : text(t), tone(tone_of_it) {}                                                  // NOLINT
  Cell(const char* t, Tone tone_of_it = Tone::kPlain) : text(t), tone(tone_of_it) {}  // NOLINT
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns. Control characters in them are made harmless.
  void Add(std::vector<Cell> row);
  // Words about the row above, indented by `indent` columns and wrapped over the whole width.
  void AddNote(int indent, Cell words);
  // A line, and below it rows that sum up.
  void AddRule();
  // Thin lines between all rows: for tables whose rows take several lines.
  void set_ruled() { ruled_ = true; }
  bool empty() const { return rows_.empty(); }

  // Every line ends in a newline; none has blanks at its end.
  std::string Render(const Screen& screen) const;

 private:
  std::vector<Column> columns_;
  struct Entry {
    std::vector<Cell> cells;  // none: a rule; one, with note_indent >= 0: a note
    int note_indent = -1;
    bool is_row() const { return note_indent < 0 && !cells.empty(); }
  };
  std::vector<Entry> rows_;
  bool ruled_ = false;

  std::vector<int> Widths(const Screen& screen) const;
  std::string Line(const std::vector<int>& widths, const Screen& screen) const;
  std::string Row(const std::vector<Cell>& row, const std::vector<int>& widths,
                  const Screen& screen) const;
  std::string Note(const Entry& note, const std::vector<int>& widths, const Screen& screen) const;
};

// Words of `text` in lines of at most `width` columns; a longer word is cut up.
std::vector<std::string> WrapWords(std::string_view text, int width);

}  // namespace spillway::cli
