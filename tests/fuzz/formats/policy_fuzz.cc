// Any bytes as a policy: refused with findings, or a policy that reads back as itself.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "formats/findings.h"
#include "formats/policy_text.h"

using namespace spillway;  // NOLINT: a program of one file

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = ParsePolicy(text, "fuzz.yaml");
  if (!policy.ok()) {
    SPILLWAY_CHECK(!FindingsOf(policy.status()).empty());
    return 0;
  }
  const std::string written = WritePolicyYaml(*policy);
  const auto again = ParsePolicy(written);
  SPILLWAY_CHECK(again.ok() && WritePolicyYaml(*again) == written);
  const auto from_json = ParsePolicy(WritePolicyJson(*policy));
  SPILLWAY_CHECK(from_json.ok() && WritePolicyYaml(*from_json) == written);
  return 0;
}
