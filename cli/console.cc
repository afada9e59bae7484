#include "cli/console.h"

#include <string>
#include <utility>

#include "cli/exit_code.h"
#include "cli/reading.h"
#include "core/text.h"
#include "formats/yaml_writer.h"

namespace spillway::cli {
namespace {

void PrintNames(const Value& document, std::ostream& out) {
  if (const Value* data = document.is_map() ? document.Find("data") : nullptr;
      data && data->is_list()) {
    for (const Value& item : data->list()) PrintNames(item, out);
    return;
  }
  for (const std::string_view key : {"id", "name", "version"}) {
    if (const std::string text = TextAt(document, {key}); !text.empty()) {
      out << text << "\n";
      return;
    }
  }
}

}  // namespace

std::optional<OutputFormat> ParseFormat(std::string_view text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "wide") return OutputFormat::kWide;
  if (text == "json") return OutputFormat::kJson;
  if (text == "yaml") return OutputFormat::kYaml;
  if (text == "name") return OutputFormat::kName;
  return std::nullopt;
}

void Console::Print(const Value& document) {
  const bool is_next = std::exchange(has_printed, true);
  switch (format) {
    case OutputFormat::kYaml:
      out << (is_next ? "---\n" : "") << WriteYaml(document);
      break;
    case OutputFormat::kName:
      PrintNames(document, out);
      break;
    default:
      out << WriteJson(document, /*pretty=*/true) << "\n";
      break;
  }
}

int Console::PrintJson(std::string_view json) {
  if (format == OutputFormat::kYaml || format == OutputFormat::kName) {
    const auto document = ParseJson(json, {.bytes = json.size(), .nodes = json.size()});
    if (!document.ok()) return Fail(document.status());
    Print(*document);
  } else {
    out << json;
  }
  return kExitOk;
}

void Console::Complain(std::string_view message) {
  err << error_screen.Paint(Tone::kBad, "error:") << " " << message << "\n";
}

void Console::Warn(std::string_view message) {
  err << error_screen.Paint(Tone::kCare, "warning:") << " " << message << "\n";
}

void Console::Say(std::string_view message) {
  if (error_screen.live) err << error_screen.Paint(Tone::kDim, message) << "\n" << std::flush;
}

int Console::Fail(const absl::Status& status) {
  Complain(ToStd(status.message()));
  return ExitCodeOf(status.code());
}

}  // namespace spillway::cli
