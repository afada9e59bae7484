#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/diagnosis.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kWidth = 100;

Finding CatalogHere() {
  const auto folder = CatalogFolder("");
  if (folder.ok())
    return {Health::kGood, absl::StrCat("catalogue of devices and models: ", *folder), ""};
  return {Health::kCare, "this program finds no catalogue of devices",
          "install the package, or say --catalog DIR to `serve` and `simulate`"};
}

Finding Unreachable(const absl::Status& status, const std::string& server) {
  return {Health::kBad, absl::StrCat("no controller at ", server, ": ", status.message()),
          "is `spillway serve` running? --server or $SPILLWAY_SERVER says where"};
}

// Whether there is a controller at all.
bool Reach(Api& api, std::vector<Finding>& findings) {
  const auto ready = api.Get("/readyz");
  if (!ready.ok()) {
    findings.push_back(Unreachable(ready.status(), api.server()));
    return false;
  }
  if (ready->ok()) {
    findings.push_back(
        {Health::kGood, absl::StrCat("the controller at ", api.server(), " is ready"), ""});
  } else {
    findings.push_back({Health::kBad,
                        absl::StrCat("the controller at ", api.server(), " is not ready"),
                        "it starts, or it stops: its log says which"});
  }
  return true;
}

Finding KeyRefused(int status) {
  return {Health::kBad, absl::StrCat("our key is refused (", status, ")"),
          status == 401 ? "put a key into $SPILLWAY_TOKEN" : "this needs a key of another role"};
}

Finding VersionOf(const std::string& metrics) {
  const auto builds = SamplesOf(metrics, "spillway_build_info");
  const std::string there = builds.empty() ? "" : LabelIn(builds.front().labels, "version");
  if (there.empty() || there == SPILLWAY_VERSION)
    return {Health::kGood,
            absl::StrCat("it is of version ", there.empty() ? SPILLWAY_VERSION : there,
                         ", and so is this program"),
            ""};
  return {Health::kCare,
          absl::StrCat("it is of version ", there, ", this program of ", SPILLWAY_VERSION),
          "use the same on both sides"};
}

void Examine(Api& api, std::vector<Finding>& findings) {
  const auto pools = api.Get("/api/v1/pools");
  if (!pools.ok()) return findings.push_back(Unreachable(pools.status(), api.server()));
  if (pools->status == 401 || pools->status == 403)
    return findings.push_back(KeyRefused(pools->status));
  const auto metrics = api.Get("/metrics");
  Patient patient{.pools = pools->body,
                  .metrics = metrics.ok() && metrics->ok() ? metrics->text : "",
                  .now = absl::Now()};
  if (!patient.metrics.empty()) findings.push_back(VersionOf(patient.metrics));
  for (Finding& finding : Diagnose(patient)) findings.push_back(std::move(finding));
}

struct Mark {
  Tone tone;
  std::string_view word, sign;
};
constexpr std::array<Mark, 3> kMarks{
    {{Tone::kGood, "good", "✓"}, {Tone::kCare, "care", "!"}, {Tone::kBad, "bad", "✗"}}};
const Mark& MarkOf(const Finding& finding) {
  return kMarks[static_cast<std::size_t>(finding.health)];
}

void Print(const std::vector<Finding>& findings, Console& console) {
  const int width = console.screen.width > 0 ? std::min(console.screen.width, kWidth) : kWidth;
  for (const Finding& finding : findings) {
    const Mark& mark = MarkOf(finding);
    const std::string sign(console.screen.unicode ? mark.sign : mark.word);
    const std::string blanks(static_cast<std::size_t>(DisplayWidth(sign)) + 1, ' ');
    std::string_view before = "";
    for (const std::string& line : WrapWords(Printable(finding.what), width - 6)) {
      console.out << (before.empty() ? console.screen.Paint(mark.tone, sign) + " " : blanks) << line
                  << "\n";
      before = blanks;
    }
    if (finding.remedy.empty()) continue;
    for (const std::string& line : WrapWords(finding.remedy, width - 6))
      console.out << blanks << console.screen.Paint(Tone::kDim, line) << "\n";
  }
}

Value ToValue(const std::vector<Finding>& findings) {
  Value list = Value::MakeList();
  for (const Finding& finding : findings) {
    Value item = Value::MakeMap();
    item.Set("health", Value::MakeString(std::string(MarkOf(finding).word)));
    item.Set("what", Value::MakeString(finding.what));
    item.Set("remedy", Value::MakeString(finding.remedy));
    list.Append(std::move(item));
  }
  Value all = Value::MakeMap();
  all.Set("findings", std::move(list));
  return all;
}

}  // namespace

int ShowDoctor(const Invocation&, Api& api, Console& console) {
  std::vector<Finding> findings = {CatalogHere()};
  const bool reached = Reach(api, findings);
  if (reached) Examine(api, findings);
  if (console.for_people()) {
    Print(findings, console);
  } else {
    console.Print(ToValue(findings));
  }
  if (!reached) return kExitUnavailable;
  const bool well = std::all_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.health == Health::kGood;
  });
  return well ? kExitOk : kExitFindings;
}

}  // namespace spillway::cli
