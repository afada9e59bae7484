#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "core/policy_spec.h"
#include "core/work.h"
#include "formats/reader.h"
#include "formats/value.h"

// The job document: what POST /api/v1/jobs, `:dry-run` and `spillway submit FILE` take.
// docs/jobs.md tells every key.
namespace spillway {

// One job, YAML, or JSON if the first character is `{`. Findings (formats/findings.h) point into
// the document: "/needs/memory". The length of the text is bounded by TextLimits; callers may take
// less. The tenant is left as it is in Work: it comes from who the caller is.
//
// Alternatives are merged over the default parts as they stand in the text (RFC 7396, null
// removes), and only then read. A job that names neither `start_within` nor `deadline` gets the
// default objective.
absl::StatusOr<Work> ParseWork(std::string_view text, const DefaultObjectives& defaults,
                               std::string_view name = "");
// The same of a tree that somebody has read already.
absl::StatusOr<Work> ReadWork(const Value& document, const DefaultObjectives& defaults,
                              std::string_view name = "");
// The same, for callers who look at the reading itself.
void ReadWork(const Place& at, const DefaultObjectives& defaults, Work& out);

// What a client may send again: ReadWork(ToValue(work)) == work for every work that ParseWork gave,
// the tenant left aside. Alternatives are the patches that make them out of the default parts.
Value ToValue(const Work& work);

}  // namespace spillway
