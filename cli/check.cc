#include <iostream>

#include "absl/strings/str_cat.h"
#include "adapters/modelled/engine_server.h"
#include "adapters/openai/key_source.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/exit_code.h"
#include "cli/job_document.h"
#include "cli/this_host.h"
#include "controller/serve_config.h"
#include "core/status.h"
#include "formats/catalog_file.h"
#include "formats/config_file.h"
#include "formats/document.h"
#include "formats/mark_at.h"
#include "formats/policy_text.h"
#include "policies/check.h"

namespace spillway::cli {
namespace {

// One thing that was found, in a file or in what it means.
struct Found {
  bool error = true;
  std::string file;
  InputFinding at;
};

void AddAll(const std::vector<InputFinding>& findings, const std::string& file, bool error,
            std::vector<Found>& all) {
  for (const InputFinding& finding : findings) all.push_back({error, file, finding});
}

// A status that carries no findings is one itself.
void AddStatus(const absl::Status& status, const std::string& file, std::vector<Found>& all) {
  const auto findings = FindingsOf(status);
  AddAll(findings, file, true, all);
  if (findings.empty()) all.push_back({true, file, {.detail = std::string(status.message())}});
}

// `document`: the policy as it stands in the file.
void AddPolicy(const PolicySpec& policy, const Value& document, const Config& config,
               const std::string& file, std::vector<Found>& all) {
  for (const Finding& finding : CheckPolicy(policy, config.fleet, config.tenants, config.catalog)) {
    const Mark mark = MarkAt(document, finding.where).value_or(Mark());
    all.push_back({finding.error,
                   file,
                   {.line = mark.line,
                    .column = mark.column,
                    .detail = absl::StrCat("policy: ", finding.where,
                                           finding.where.empty() ? "" : ": ", finding.what)}});
  }
}

Value ToValue(const Found& found) {
  Value value = Value::MakeMap();
  value.Set("severity", Value::MakeString(found.error ? "error" : "warning"));
  value.Set("file", Value::MakeString(found.file));
  value.Set("line", Value::MakeInteger(found.at.line));
  value.Set("column", Value::MakeInteger(found.at.column));
  value.Set("pointer", Value::MakeString(found.at.pointer));
  value.Set("detail", Value::MakeString(found.at.detail));
  return value;
}

// What serve would refuse on this machine; elsewhere it may be right.
void AddKeys(const FleetSpec& fleet, const std::string& file, std::vector<Found>& all) {
  for (const PoolSpec& pool : fleet.pools) {
    const auto key = ReadKey({.file = pool.adapter.key_file, .env = pool.adapter.key_env});
    if (key.ok()) continue;
    all.push_back({false,
                   file,
                   {.detail = absl::StrCat("pool `", pool.name, "`: `serve` would refuse it here: ",
                                           key.status().message())}});
  }
}

// Modelled engines that serve would not start, wherever it runs.
void AddEngines(const Config& config, const std::string& file, std::vector<Found>& all) {
  for (const PoolSpec& pool : config.fleet.pools) {
    if (pool.adapter.type != "modelled") continue;
    for (const ServeSpec& serve : pool.serves) {
      if (!serve.work_class.empty()) continue;
      const auto engine = EngineModelFor(config.catalog, pool, serve);
      if (engine.ok()) continue;
      all.push_back({true,
                     file,
                     {.detail = absl::StrCat("pool `", pool.name, "`, model `", serve.model,
                                             "`: ", engine.status().message())}});
    }
  }
}

// Findings are the data here. Only errors make the check fail.
int Show(const std::vector<Found>& all, const std::string& file, Console& console) {
  int errors = 0;
  Value list = Value::MakeMap();
  list.Set("object", Value::MakeString("list"));
  Value& data = list.Set("data", Value::MakeList());
  for (const Found& found : all) {
    errors += found.error;
    data.Append(ToValue(found));
    if (!console.for_people()) continue;
    console.out << console.screen.Paint(found.error ? Tone::kBad : Tone::kCare,
                                        found.error ? "error: " : "warning: ")
                << Describe(found.at, found.file) << "\n";
  }
  if (!console.for_people())
    console.Print(list);
  else if (errors == 0)
    console.err << file << (all.empty() ? ": nothing wrong\n" : ": no errors\n");
  return errors == 0 ? kExitOk : kExitFindings;
}

absl::StatusOr<Catalog> CatalogFor(const Invocation& args) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string folder,
                            CatalogFolder(std::string(args.Get("--catalog"))));
  return LoadCatalog(folder);
}

}  // namespace

int CheckConfig(const Invocation& args, Console& console) {
  const auto catalog = CatalogFor(args);
  if (!catalog.ok()) return console.Fail(catalog.status());
  const std::string& file = args.operands.front();
  std::vector<Found> all;
  const auto loaded = LoadConfig(file, *catalog, MachineHere());
  if (absl::IsNotFound(loaded.status())) return console.Fail(loaded.status());
  if (loaded.ok()) {
    AddAll(loaded->warnings, file, false, all);
    if (const auto server = CheckServer(loaded->server); !server.ok()) AddStatus(server, file, all);
    AddKeys(loaded->config.fleet, file, all);
    AddEngines(loaded->config, file, all);
    AddPolicy(loaded->config.policy, loaded->policy, loaded->config, file, all);
  } else {
    AddStatus(loaded.status(), file, all);
  }
  return Show(all, file, console);
}

int CheckPolicyHere(const Invocation& args, Console& console) {
  const auto catalog = CatalogFor(args);
  if (!catalog.ok()) return console.Fail(catalog.status());
  const auto loaded = LoadConfig(std::string(args.Get("--config")), *catalog, MachineHere());
  if (!loaded.ok()) return console.Fail(loaded.status());
  const std::string& file = args.operands.front();
  const auto text = ReadDocument(file);
  if (!text.ok()) return console.Fail(text.status());
  std::vector<Found> all;
  if (const auto policy = ParsePolicy(*text, file); policy.ok())
    AddPolicy(*policy, ParseDocument(*text, file).value_or(Value()), loaded->config, file, all);
  else
    AddStatus(policy.status(), file, all);
  return Show(all, file, console);
}

}  // namespace spillway::cli
