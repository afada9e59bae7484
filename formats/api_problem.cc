#include "absl/strings/str_cat.h"
#include "formats/api_json.h"

namespace spillway {

std::string ProblemBody(const Problem& problem) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject();
  w.Member("type", absl::StrCat("/problems/", problem.code)).Member("title", problem.title);
  w.Member("status", problem.status).Member("detail", problem.detail);
  if (!problem.instance.empty()) w.Member("instance", problem.instance);
  w.Member("code", problem.code);
  if (!problem.errors.empty()) {
    w.Key("errors").BeginArray();
    for (const ProblemPart& part : problem.errors) {
      w.BeginObject().Member("pointer", part.pointer).Member("detail", part.detail).EndObject();
    }
    w.EndArray();
  }
  if (!problem.candidates.empty()) w.RawMember("candidates", problem.candidates);
  if (!problem.trace_id.empty()) w.Member("trace_id", problem.trace_id);
  w.Member("retryable", problem.retryable).EndObject();
  return body;
}

}  // namespace spillway
