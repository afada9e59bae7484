#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/policy_spec.h"
#include "formats/reader.h"
#include "formats/value.h"

// `kind: Policy`. What the words mean over a fleet, and whether they make sense there, is checked
// in policies/check.h. Everything left out has the default of core/policy_spec.h.
namespace spillway {

// What holds where no policy was written: `backstop`, with NVIDIA pools claiming last.
PolicySpec DefaultPolicy();

// One policy as YAML, or as JSON if the first character is `{`. The key `kind` may be left out.
// Errors carry findings (formats/findings.h). `name`: the file's, for messages.
absl::StatusOr<PolicySpec> ParsePolicy(std::string_view text, std::string_view name = "");
void ReadPolicy(const Place& at, PolicySpec& out);

// Every key, defaults included, so that a reader sees what holds. Reads back as the same policy.
Value ToValue(const PolicySpec& policy);
std::string WritePolicyYaml(const PolicySpec& policy);
std::string WritePolicyJson(const PolicySpec& policy);

}  // namespace spillway
