// Any bytes as a job: refused with findings, or work within its bounds that reads back as itself
// after it was written.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "formats/findings.h"
#include "formats/work_text.h"
#include "formats/yaml_writer.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

void CheckNeeds(const Needs& needs) {
  SPILLWAY_CHECK(needs.cpus > MilliCpus(0) && needs.memory >= Bytes(0) && needs.nodes >= 1);
  SPILLWAY_CHECK(needs.devices.count >= 0 && needs.devices.count <= 64);
  SPILLWAY_CHECK(needs.devices.fraction > 0 && needs.devices.fraction <= 1);
}
void CheckObjective(const Objective& objective) {
  SPILLWAY_CHECK(objective.deadline || objective.start_within);
  SPILLWAY_CHECK(!objective.max_cost || *objective.max_cost >= Usd(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto work = ParseWork(text, DefaultObjectives());
  if (!work.ok()) {
    SPILLWAY_CHECK(!FindingsOf(work.status()).empty());
    return 0;
  }
  SPILLWAY_CHECK(!work->run.command.empty() && !work->run.command[0].empty());
  CheckNeeds(work->needs);
  CheckObjective(work->objective);
  for (const Alternative& alternative : work->alternatives) {
    SPILLWAY_CHECK(!alternative.run.command.empty());
    CheckNeeds(alternative.needs);
    CheckObjective(alternative.objective);
  }
  const auto again = ParseWork(WriteJson(ToValue(*work)), DefaultObjectives());
  SPILLWAY_CHECK(again.ok() && *again == *work);
  const auto from_yaml = ParseWork(WriteYaml(ToValue(*work)), DefaultObjectives());
  SPILLWAY_CHECK(from_yaml.ok() && *from_yaml == *work);
  return 0;
}
