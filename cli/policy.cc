#include <iostream>

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/job_document.h"
#include "cli/reading.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/yaml_writer.h"

namespace spillway::cli {
namespace {

// The policy in a YAML or JSON file: the whole document, or the one of `kind: Policy` among
// several.
absl::StatusOr<Value> PolicyIn(const std::string& file) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadDocument(file));
  SPILLWAY_ASSIGN_OR_RETURN(const auto documents, ParseYamlDocuments(text, file));
  const Value* found = nullptr;
  for (const Value& document : documents) {
    const std::string kind = TextAt(document, {"kind"});
    if (kind != "Policy" && !(kind.empty() && documents.size() == 1)) continue;
    if (found) return absl::InvalidArgumentError(absl::StrCat(file, ": has more than one policy"));
    found = &document;
  }
  if (!found)
    return absl::InvalidArgumentError(absl::StrCat(file, ": has no document of `kind: Policy`"));
  return *found;
}

absl::StatusOr<Answer> Put(Api& api, const Value& policy, std::string target,
                           std::string_view if_match) {
  Headers headers;
  if (!if_match.empty())
    headers.Add("If-Match", if_match.starts_with('"') ? std::string(if_match)
                                                      : absl::StrCat("\"", ToAbsl(if_match), "\""));
  return api.Send(Method::kPut, std::move(target), WriteJson(policy), std::move(headers));
}

// Without --if-match: over whatever is in force now.
absl::StatusOr<std::string> VersionInForce(Api& api) {
  SPILLWAY_ASSIGN_OR_RETURN(const Answer now, api.Get("/api/v1/policy"));
  return now.etag;
}

// A tag without its quotes, as --if-match takes it too.
std::string Version(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

void ShowWarnings(const Value& body, Console& console) {
  for (const Value& warning : ListAt(body, {"warnings"}))
    console.Warn(warning.is_string() ? warning.string() : TextAt(warning, {"detail"}));
}

}  // namespace

int GetPolicy(const Invocation&, Api& api, Console& console) {
  const auto answer = api.Get("/api/v1/policy");
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  // A policy is a document and no table: people read it as they write it.
  if (console.for_people())
    console.out << WriteYaml(answer->body);
  else
    console.Print(answer->body);
  // Beside the document, which may go into a file.
  if (!answer->etag.empty())
    console.err << "version " << Version(answer->etag) << " (policy put --if-match "
                << Version(answer->etag) << ")\n";
  return kExitOk;
}

int PutPolicy(const Invocation& args, Api& api, Console& console) {
  const auto policy = PolicyIn(args.operands.front());
  if (!policy.ok()) return console.Fail(policy.status());
  std::string if_match(args.Get("--if-match"));
  if (if_match.empty()) {
    auto version = VersionInForce(api);
    if (!version.ok()) return console.Fail(version.status());
    if_match = *std::move(version);
  }
  const auto answer = Put(api, *policy, "/api/v1/policy", if_match);
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, {args.operands.front(), *policy}, console);
  ShowWarnings(answer->body, console);
  if (console.for_people())
    console.err << "in force: " << TextAt(*policy, {"name"}) << ", version "
                << Version(answer->etag) << "\n";
  else
    console.Print(answer->body);
  return kExitOk;
}

int CheckPolicyThere(const Invocation& args, Api& api, Console& console) {
  const auto policy = PolicyIn(args.operands.front());
  if (!policy.ok()) {
    console.Fail(policy.status());
    return kExitFindings;
  }
  const auto answer = Put(api, *policy, "/api/v1/policy?dry_run=true", "");
  if (!answer.ok()) return console.Fail(answer.status());
  if (answer->status == 400 || answer->status == 422) {
    Report(*answer, {args.operands.front(), *policy}, console);
    return kExitFindings;
  }
  if (!answer->ok()) return Report(*answer, console);
  ShowWarnings(answer->body, console);
  if (!console.for_people())
    console.Print(answer->body);
  else
    console.err << args.operands.front() << ": nothing wrong\n";
  return kExitOk;
}

}  // namespace spillway::cli
