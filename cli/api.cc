#include "cli/api.h"

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/reading.h"
#include "core/status.h"
#include "formats/findings.h"
#include "formats/mark_at.h"

namespace spillway::cli {

absl::StatusOr<Api> Api::For(std::string_view server) {
  ClientOptions options;
  options.headers.Add("Accept", "application/json");
  if (const char* token = std::getenv("SPILLWAY_TOKEN"); token && *token)
    options.headers.Add("Authorization", absl::StrCat("Bearer ", token));
  auto client = Client::ForUrl(server, std::move(options));
  if (!client.ok()) return Annotate(client.status(), "--server");
  return Api(std::string(server), *std::move(client));
}

absl::StatusOr<Answer> Api::Read(absl::StatusOr<HttpResponse> response) const {
  if (!response.ok()) {
    return Annotate(response.status(), absl::StrCat("no answer from ", server_,
                                                    " (is `spillway serve` running there?)"));
  }
  Answer answer;
  answer.status = response->status;
  answer.etag = response->headers.Get("ETag");
  answer.text = std::move(response->body);
  const std::string_view type = response->headers.Get("Content-Type");
  if (!answer.text.empty() && type.find("json") != std::string_view::npos) {
    TextLimits limits;
    limits.bytes = std::size_t{64} << 20;
    limits.nodes = 5'000'000;
    auto body = ParseJson(answer.text, limits);
    if (!body.ok())
      return absl::InternalError(
          absl::StrCat("cannot read the answer of ", server_, ": ", body.status().message()));
    answer.body = *std::move(body);
  }
  return answer;
}

absl::StatusOr<Answer> Api::Get(std::string target) { return Read(client_.Get(std::move(target))); }

absl::StatusOr<Answer> Api::Send(Method method, std::string target, std::string body,
                                 Headers headers) {
  ClientRequest request;
  request.method = method;
  request.target = std::move(target);
  request.headers = std::move(headers);
  if (!body.empty() && !request.headers.Find("Content-Type"))
    request.headers.Add("Content-Type", "application/json");
  request.body = std::move(body);
  return Read(client_.Send(std::move(request)));
}

absl::StatusOr<Answer> Api::Stream(std::string target, BodySink sink) {
  ClientRequest request;
  request.target = std::move(target);
  return Read(client_.Stream(std::move(request), std::move(sink)));
}

std::string Encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

namespace {

int CodeFor(const Answer& problem) {
  // Some 422 are no answer about work.
  const std::string code = TextAt(problem.body, {"code"});
  if (code == "key_reused") return kExitConflict;
  if (code == "invalid_policy") return kExitFindings;
  if (code == "budget_spent") return kExitNegative;  // and not: try again in a moment
  return ExitCodeOf(problem.status);
}

}  // namespace

int Report(const Answer& problem, Console& console) {
  const std::string title = TextAt(problem.body, {"title"});
  const std::string detail = TextAt(problem.body, {"detail"});
  std::string message = !detail.empty()  ? detail
                        : !title.empty() ? title
                                         : absl::StrCat("the server answered ", problem.status);
  for (const Value& error : ListAt(problem.body, {"errors"})) {
    const std::string line =
        absl::StrCat(TextAt(error, {"pointer"}), ": ", TextAt(error, {"detail"}));
    if (message.find(TextAt(error, {"detail"})) == std::string::npos)
      absl::StrAppend(&message, "\n  ", line);
  }
  console.Complain(message);
  return CodeFor(problem);
}

int Report(const Answer& problem, const Source& source, Console& console) {
  const Value::List& errors = ListAt(problem.body, {"errors"});
  if (source.file.empty() || errors.empty()) return Report(problem, console);
  for (const Value& error : errors) {
    InputFinding finding{.pointer = TextAt(error, {"pointer"}),
                         .detail = TextAt(error, {"detail"})};
    const auto mark = MarkAt(source.document, finding.pointer);
    if (!mark) {  // From an option.
      console.Complain(Describe(finding, ""));
      continue;
    }
    finding.line = mark->line, finding.column = mark->column;
    // A key that is not there is named by its pointer alone.
    if (!finding.pointer.empty())
      finding.detail = absl::StrCat(finding.pointer, ": ", finding.detail);
    console.Complain(Describe(finding, source.file));
  }
  return CodeFor(problem);
}

}  // namespace spillway::cli
