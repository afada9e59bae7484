#include <algorithm>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/actions.h"
#include "cli/costs_table.h"
#include "cli/exit_code.h"
#include "cli/job_document.h"
#include "cli/reading.h"
#include "core/status.h"
#include "formats/units.h"

namespace spillway::cli {
namespace {

// An instant of an option; a span counts back from now.
absl::StatusOr<std::optional<absl::Time>> TimeOf(const Invocation& args, std::string_view option) {
  if (!args.Has(option)) return std::optional<absl::Time>();
  const auto text = Instant(args.Get(option), absl::Now(), -1);
  if (!text.ok()) return Annotate(text.status(), std::string(option));
  SPILLWAY_ASSIGN_OR_RETURN(const absl::Time time, ParseTime(*text));
  return std::optional<absl::Time>(time);
}

absl::StatusOr<std::string> Query(const Invocation& args) {
  std::string query = absl::StrCat("?by=", Encoded(args.Has("--by") ? args.Get("--by") : "tenant"));
  for (const auto& [option, name] : {std::pair("--from", "from"), std::pair("--to", "to")}) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto time, TimeOf(args, option));
    if (time) absl::StrAppend(&query, "&", name, "=", Encoded(Format(*time)));
  }
  if (args.Has("--tenant")) absl::StrAppend(&query, "&tenant=", Encoded(args.Get("--tenant")));
  return query;
}

// Asks for [from, until) and writes what comes; where that is too much at once, for its halves.
class Export {
 public:
  Export(Api& api, std::ostream& out) : api_(api), out_(out) {}

  absl::StatusOr<Answer> Write(absl::Time from, absl::Time until) {
    std::string csv;
    SPILLWAY_ASSIGN_OR_RETURN(
        Answer answer,
        api_.Stream(absl::StrCat("/api/v1/ledger?format=focus-csv&from=", Encoded(Format(from)),
                                 "&until=", Encoded(Format(until))),
                    [&](std::string_view part) {
                      csv.append(part);
                      return true;
                    }));
    const absl::Duration half = absl::Floor((until - from) / 2, absl::Hours(1));
    if (answer.status == 400 && half >= absl::Hours(1)) {
      SPILLWAY_ASSIGN_OR_RETURN(Answer first, Write(from, from + half));
      if (!first.ok()) return first;
      return Write(from + half, until);
    }
    if (answer.ok()) Put(csv);
    return answer;
  }

 private:
  // The header once.
  void Put(std::string_view csv) {
    const std::size_t line = csv.find('\n');
    if (headed_ && line != std::string_view::npos) csv.remove_prefix(line + 1);
    headed_ = true;
    out_ << csv;
  }

  Api& api_;
  std::ostream& out_;
  bool headed_ = false;
};

absl::Time HourOf(absl::Time time) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), absl::Hours(1));
}

}  // namespace

int ShowCosts(const Invocation& args, Api& api, Console& console) {
  const auto query = Query(args);
  if (!query.ok()) return console.Fail(query.status());
  const auto answer = api.Get(absl::StrCat("/api/v1/costs", *query));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (!console.for_people()) {
    console.Print(answer->body);
    return kExitOk;
  }
  console.out << CostsTable(answer->body, console.screen, console.wide());
  return kExitOk;
}

int ExportCosts(const Invocation& args, Api& api, Console& console) {
  const std::string format(args.Has("--format") ? args.Get("--format") : "focus-csv");
  if (format != "focus-csv")
    return console.Fail(
        absl::InvalidArgumentError(absl::StrCat("--format: `", format, "` is not focus-csv")));
  const auto from = TimeOf(args, "--from");
  const auto to = TimeOf(args, "--to");
  if (!from.ok()) return console.Fail(from.status());
  if (!to.ok()) return console.Fail(to.status());
  const absl::Time until = to->value_or(HourOf(absl::Now()) + absl::Hours(1));
  const absl::Time since = HourOf(from->value_or(until - absl::Hours(24 * 30)));
  if (since >= until)
    return console.Fail(absl::InvalidArgumentError("--from is not before --to: there is nothing"));
  std::ofstream file;
  if (args.Has("--out")) {
    file.open(std::string(args.Get("--out")), std::ios::binary | std::ios::trunc);
    if (!file)
      return console.Fail(
          absl::NotFoundError(absl::StrCat(std::string(args.Get("--out")), ": cannot be written")));
  }
  Export writer(api, args.Has("--out") ? file : console.out);
  // A month at a time, so that neither side holds a year.
  for (absl::Time at = since; at < until; at += absl::Hours(24 * 30)) {
    const auto answer = writer.Write(at, std::min(at + absl::Hours(24 * 30), until));
    if (!answer.ok()) return console.Fail(answer.status());
    if (!answer->ok()) return Report(*answer, console);
  }
  return kExitOk;
}

}  // namespace spillway::cli
