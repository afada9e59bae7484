// Any bytes as JSON and as YAML: a bounded tree that both writers write so that both readers read
// it back, or a finding with a place in the text.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "formats/findings.h"
#include "formats/value.h"
#include "formats/yaml_writer.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

void CheckMarks(const Value& value, std::uint32_t lines) {
  SPILLWAY_CHECK(value.mark().line <= lines);
  if (value.is_list()) {
    for (const Value& item : value.list()) CheckMarks(item, lines);
  }
  if (value.is_map()) {
    for (const Member& member : value.map()) CheckMarks(member.value, lines);
  }
}

void CheckTree(const absl::StatusOr<Value>& value, std::string_view text) {
  if (!value.ok()) {
    SPILLWAY_CHECK(FindingsOf(value.status()).size() == 1);
    return;
  }
  const auto lines = std::count(text.begin(), text.end(), '\n') + 2;
  CheckMarks(*value, static_cast<std::uint32_t>(lines));
  for (const bool pretty : {false, true}) {
    const auto again = ParseJson(WriteJson(*value, pretty));
    SPILLWAY_CHECK(again.ok() && *again == *value);
  }
  if (value->is_null()) return;  // an empty document in YAML
  // What was escaped grows; a tree at the bound may pass it when it is written.
  const auto from_yaml = ParseYaml(WriteYaml(*value), "again");
  SPILLWAY_CHECK(from_yaml.ok() && *from_yaml == *value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckTree(ParseJson(text), text);
  CheckTree(ParseYaml(text, "fuzz.yaml"), text);
  return 0;
}
