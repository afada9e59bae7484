#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text.h"
#include "simulator/report/svg.h"

namespace spillway {

// A table of the report, row by row: Head() for every column, Body(), then Begin(), one cell after
// the other and End() for every row; Done() at last.
class HtmlTable {
 public:
  HtmlTable(std::string_view caption, std::string_view attributes) {
    absl::StrAppend(&out_, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"",
                    Escaped(caption), "\"><table", attributes.empty() ? "" : " ",
                    ToAbsl(attributes), "><thead><tr>");
  }
  HtmlTable& Head(std::string_view title, bool is_text = false) {
    absl::StrAppend(&out_, "<th scope=\"col\"", is_text ? " class=\"l\"" : "", ">", Escaped(title),
                    "</th>");
    return *this;
  }
  void Body() { out_ += "</tr></thead><tbody>"; }
  void Begin(std::string_view attributes = "") {
    absl::StrAppend(&out_, "<tr", attributes.empty() ? "" : " ", ToAbsl(attributes), ">");
  }
  HtmlTable& Name(std::string_view text) {
    absl::StrAppend(&out_, "<th scope=\"row\">", Escaped(text), "</th>");
    return *this;
  }
  HtmlTable& Text(std::string_view text, std::string_view classes = "l") {
    absl::StrAppend(&out_, "<td class=\"", ToAbsl(classes), "\">", Escaped(text), "</td>");
    return *this;
  }
  // What is sorted by differs from what is shown.
  HtmlTable& Figure(double value, std::string_view shown, bool is_warning = false) {
    absl::StrAppend(&out_, "<td data-v=\"", absl::StrFormat("%.9g", value), "\"",
                    is_warning ? " class=\"warn\"" : "", ">", Escaped(shown), "</td>");
    return *this;
  }
  HtmlTable& Missing() {
    out_ += "<td data-v=\"\">–</td>";
    return *this;
  }
  void End() { out_ += "</tr>"; }
  std::string Done() { return std::move(out_) + "</tbody></table></div>"; }

 private:
  std::string out_;
};

}  // namespace spillway
