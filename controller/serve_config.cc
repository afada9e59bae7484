#include "controller/serve_config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/northbound/identity.h"
#include "core/status.h"
#include "formats/mark_at.h"
#include "formats/server_text.h"
#include "policies/check.h"

namespace spillway {

absl::Status CheckServer(const ServerSpec& server) {
  SPILLWAY_RETURN_IF_ERROR(Keyring::Make(server.keys).status());
  if (!IsHostAndPort(server.listen)) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", server.listen, "` is no address: write HOST:PORT"));
  }
  if (!IsLoopback(server.listen) && server.keys.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("listening on `", server.listen,
                     "`, which others can reach, needs `keys:` in the Server document"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ServeConfig> LoadServeConfig(const std::string& path, const Catalog& catalog,
                                            const Machine& machine,
                                            const std::optional<std::string>& listen) {
  ServeConfig config;
  SPILLWAY_ASSIGN_OR_RETURN(config.loaded, LoadConfig(path, catalog, machine));
  if (listen) config.loaded.server.listen = *listen;
  SPILLWAY_RETURN_IF_ERROR(Annotate(CheckServer(config.loaded.server), path));
  for (const InputFinding& warning : config.loaded.warnings)
    config.warnings.push_back(Describe(warning, path));
  const Config& parts = config.loaded.config;
  std::vector<std::string> errors;
  for (const Finding& finding :
       CheckPolicy(parts.policy, parts.fleet, parts.tenants, parts.catalog)) {
    const Mark mark = MarkAt(config.loaded.policy, finding.where).value_or(Mark());
    std::string words =
        Describe({.line = mark.line,
                  .column = mark.column,
                  .detail = absl::StrCat("policy: ", finding.where,
                                         finding.where.empty() ? "" : ": ", finding.what)},
                 path);
    (finding.error ? errors : config.warnings).push_back(std::move(words));
  }
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  return config;
}

}  // namespace spillway
