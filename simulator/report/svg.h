#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spillway {

// `text` for HTML and for attributes in double quotes.
std::string Escaped(std::string_view text);
// At most one decimal, as few characters as it takes: for coordinates.
std::string Coordinate(double value);

// One chart, drawn front to back. Colours and fonts come from classes (report/style.cc), so that it
// follows the page's colour scheme.
class Svg {
 public:
  // `id` is unique in the page; title and desc are for who cannot see it.
  Svg(std::string_view id, double width, double height, std::string_view title,
      std::string_view desc);

  Svg& Line(double x1, double y1, double x2, double y2, std::string_view classes);
  Svg& Rect(double x, double y, double width, double height, std::string_view classes,
            std::string_view tip = "");
  Svg& Circle(double x, double y, double r, std::string_view classes, std::string_view tip = "");
  Svg& Path(std::string_view d, std::string_view classes, std::string_view tip = "");
  // anchor: "start", "middle", "end".
  Svg& Text(double x, double y, std::string_view text, std::string_view classes = "",
            std::string_view anchor = "start");
  Svg& Open(std::string_view classes, std::string_view attributes = "");  // a group
  Svg& Close();
  std::string Done();

 private:
  void End(std::string_view element, std::string_view tip);
  std::string out_;
};

// From numbers to pixels along one axis.
struct Axis {
  double low = 0, high = 1;   // of the data, low < high
  double begin = 0, end = 1;  // in pixels; end < begin where up is more
  bool is_log = false;
  double At(double value) const;
};
// Round numbers from low to high, about `about` of them.
std::vector<double> NiceTicks(double low, double high, int about);

// About how wide a text of the charts is, in pixels: 12 px, no kerning.
double TextWidth(std::string_view text);
// Cut with an ellipsis so that it fits.
std::string Fitted(std::string_view text, double width);

}  // namespace spillway
