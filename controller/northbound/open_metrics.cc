#include "controller/northbound/open_metrics.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/text.h"

namespace spillway {
namespace {

// What a client says of one media range: "text/plain;version=0.0.4;q=0.5".
struct Range {
  absl::string_view type;
  bool other_version = false;  // of OpenMetrics, than ours
  double weight = 1;
};
Range ReadRange(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  Range range{absl::StripAsciiWhitespace(parts[0])};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    absl::string_view value = absl::StripAsciiWhitespace(parts[i]);
    if (absl::ConsumePrefix(&value, "q=") || absl::ConsumePrefix(&value, "Q=")) {
      if (!absl::SimpleAtod(value, &range.weight)) range.weight = 0;
    } else if (absl::ConsumePrefix(&value, "version=")) {
      range.other_version = value != "1.0.0" && value != "\"1.0.0\"";
    }
  }
  return range;
}

// `# HELP NAME words` and `# TYPE NAME kind`: no other metric than a counter ends in `_total`.
void AppendComment(std::string_view line, std::string& out) {
  const std::size_t begin = sizeof("# HELP ") - 1, end = line.find(' ', begin);
  if (end == line.npos) return;
  out += line.substr(0, begin);
  out += ToStd(absl::StripSuffix(ToAbsl(line.substr(begin, end - begin)), "_total"));
  const std::string_view rest = line.substr(end);
  out += line.starts_with("# HELP ") ? absl::StrReplaceAll(ToAbsl(rest), {{"\"", "\\\""}})
                                     : std::string(rest);
}

void AppendSample(std::string_view line, std::string& out) {
  constexpr std::string_view kBound = "le=\"";
  const std::size_t begin = line.find("_bucket{");
  const std::size_t at = begin == line.npos ? line.npos : line.rfind(kBound);
  if (at == line.npos || at < begin) {
    out += line;
    return;
  }
  const std::size_t number = at + kBound.size(), end = line.find('"', number);
  const std::string_view bound = line.substr(number, end - number);
  out += line.substr(0, end);
  if (bound.find_first_not_of("0123456789") == bound.npos) out += ".0";
  out += line.substr(end);
}

}  // namespace

bool WantsOpenMetrics(std::string_view accept) {
  double open = 0, plain = 0;
  for (const absl::string_view part : absl::StrSplit(ToAbsl(accept), ',')) {
    const Range range = ReadRange(part);
    if (absl::EqualsIgnoreCase(range.type, "application/openmetrics-text")) {
      if (!range.other_version) open = std::max(open, range.weight);
    } else if (absl::EqualsIgnoreCase(range.type, "text/plain")) {
      plain = std::max(plain, range.weight);
    }
  }
  return open > 0 && open >= plain;
}

std::string OpenMetricsOf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 64 + 16);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    line.starts_with("# ") ? AppendComment(line, out) : AppendSample(line, out);
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out += "# EOF\n";
}

}  // namespace spillway
