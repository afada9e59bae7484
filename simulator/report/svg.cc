#include "simulator/report/svg.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text.h"

namespace spillway {

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // A figure and its unit stay on one line.
    if (c == ' ' &&
        (text.substr(i + 1).starts_with('%') || text.substr(i + 1).starts_with("USD"))) {
      out += "&#160;";
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // Control characters are no part of HTML, but for white space.
        out.push_back(static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c);
    }
  }
  return out;
}

std::string Coordinate(double value) {
  std::string text = absl::StrFormat("%.1f", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

Svg::Svg(std::string_view id, double width, double height, std::string_view title,
         std::string_view desc) {
  absl::StrAppend(&out_, "<svg viewBox=\"0 0 ", Coordinate(width), " ", Coordinate(height),
                  "\" width=\"", Coordinate(width), "\" height=\"", Coordinate(height),
                  "\" role=\"img\" aria-labelledby=\"", ToAbsl(id), "-t ", ToAbsl(id),
                  "-d\"><title id=\"", ToAbsl(id), "-t\">", Escaped(title), "</title><desc id=\"",
                  ToAbsl(id), "-d\">", Escaped(desc), "</desc>");
}

void Svg::End(std::string_view element, std::string_view tip) {
  if (tip.empty()) {
    out_ += "/>";
  } else {
    absl::StrAppend(&out_, "><title>", Escaped(tip), "</title></", ToAbsl(element), ">");
  }
}

Svg& Svg::Line(double x1, double y1, double x2, double y2, std::string_view classes) {
  absl::StrAppend(&out_, "<line x1=\"", Coordinate(x1), "\" y1=\"", Coordinate(y1), "\" x2=\"",
                  Coordinate(x2), "\" y2=\"", Coordinate(y2), "\" class=\"", ToAbsl(classes),
                  "\"/>");
  return *this;
}
Svg& Svg::Rect(double x, double y, double width, double height, std::string_view classes,
               std::string_view tip) {
  absl::StrAppend(&out_, "<rect x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\" width=\"",
                  Coordinate(std::max(width, 0.0)), "\" height=\"", Coordinate(height),
                  "\" class=\"", ToAbsl(classes), "\"");
  End("rect", tip);
  return *this;
}
Svg& Svg::Circle(double x, double y, double r, std::string_view classes, std::string_view tip) {
  absl::StrAppend(&out_, "<circle cx=\"", Coordinate(x), "\" cy=\"", Coordinate(y), "\" r=\"",
                  Coordinate(r), "\" class=\"", ToAbsl(classes), "\"");
  End("circle", tip);
  return *this;
}
Svg& Svg::Path(std::string_view d, std::string_view classes, std::string_view tip) {
  absl::StrAppend(&out_, "<path d=\"", ToAbsl(d), "\" class=\"", ToAbsl(classes), "\"");
  End("path", tip);
  return *this;
}
Svg& Svg::Text(double x, double y, std::string_view text, std::string_view classes,
               std::string_view anchor) {
  absl::StrAppend(&out_, "<text x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\"");
  if (anchor != "start") absl::StrAppend(&out_, " text-anchor=\"", ToAbsl(anchor), "\"");
  if (!classes.empty()) absl::StrAppend(&out_, " class=\"", ToAbsl(classes), "\"");
  absl::StrAppend(&out_, ">", Escaped(text), "</text>");
  return *this;
}
Svg& Svg::Open(std::string_view classes, std::string_view attributes) {
  absl::StrAppend(&out_, "<g class=\"", ToAbsl(classes), "\"", attributes.empty() ? "" : " ",
                  ToAbsl(attributes), ">");
  return *this;
}
Svg& Svg::Close() {
  out_ += "</g>";
  return *this;
}
std::string Svg::Done() { return std::move(out_) + "</svg>"; }

double Axis::At(double value) const {
  const double part = is_log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low))
                             : (value - low) / (high - low);
  return begin + std::clamp(part, 0.0, 1.0) * (end - begin);
}

std::vector<double> NiceTicks(double low, double high, int about) {
  const double rough = (high - low) / std::max(about, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  std::vector<double> ticks;
  const auto first = static_cast<std::int64_t>(std::ceil(low / step - 1e-9));
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
  for (std::int64_t i = first; i <= last && ticks.size() < 100; ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

double TextWidth(std::string_view text) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
  return 7.0 * static_cast<double>(characters);
}

std::string Fitted(std::string_view text, double width) {
  if (TextWidth(text) <= width) return std::string(text);
  const auto most = static_cast<std::size_t>(std::max(width / 7.0 - 1, 1.0));
  std::size_t cut = std::min(most, text.size());
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return absl::StrCat(ToAbsl(text.substr(0, cut)), "…");
}

}  // namespace spillway
