#include "controller/serve.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "adapters/modelled/modelled_adapter.h"
#include "adapters/process/process_adapter.h"
#include "adapters/process/supervisor.h"
#include "adapters/process/supervisor_client.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/engines_here.h"
#include "cli/exit_code.h"
#include "cli/simulation_child.h"
#include "cli/this_host.h"
#include "core/status.h"

namespace spillway::cli {
namespace {

// Commands on this machine, for pools that are real and for those that are modelled; both under one
// supervisor, which is this same program. And engines: of others, and modelled ones.
class AdaptersHere final : public ServedAdapters {
 public:
  explicit AdaptersHere(const AdapterNeeds& needs)
      : supervisor_(
            {.dir = needs.state_dir, .program = {"/proc/self/exe", "supervise", needs.state_dir}}),
        process_(supervisor_, needs.sink),
        modelled_(supervisor_, needs.sink),
        engines_(needs.sink, needs.dispatcher, needs.engine_log, needs.observer) {}

  absl::Status Start(const Config& config) { return engines_.Start(config); }

  Host::Adapters ByType() override {
    const auto meet_engines = [this](PoolId id, const PoolSpec& pool) { engines_.Meet(id, pool); };
    const auto meet_modelled = [this](PoolId id, const PoolSpec& pool) {
      modelled_.AddPool(id, pool);
      engines_.Meet(id, pool);
    };
    return {{"process", Served(process_)},
            {"modelled", {&modelled_, meet_modelled}},
            {"openai", {nullptr, meet_engines}}};
  }

  absl::Status Check(const FleetSpec& fleet) const override { return EnginesHere::Check(fleet); }
  absl::Status AwaitEngines() override { return engines_.Watch(); }
  void StopEngines() override { engines_.Stop(); }

 private:
  SupervisorClient supervisor_;
  ProcessAdapter process_;
  ModelledAdapter modelled_;
  EnginesHere engines_;

  static HostedAdapter Served(CommandAdapter& adapter) {
    return {&adapter, [&adapter](PoolId id, const PoolSpec& pool) { adapter.AddPool(id, pool); }};
  }
};

// What came with the catalogue: fleets, policies, scenarios and traces; empty: it stands alone.
std::string LibraryBeside(const std::string& catalog) {
  std::error_code failed;
  const std::filesystem::path folder =
      std::filesystem::weakly_canonical(std::filesystem::absolute(catalog), failed).parent_path();
  return !failed && std::filesystem::is_directory(folder / "scenarios", failed) ? folder.string()
                                                                                : "";
}

int CpusHere() { return static_cast<int>(MachineHere().cpus.value() / 1000); }

}  // namespace

int Serve(const Invocation& args, Console& console) {
  for (const char* option : {"--config", "--state"}) {
    if (args.Get(option).empty())
      return console.Fail(absl::InvalidArgumentError(absl::StrCat("serve needs ", option)));
  }
  const auto catalog = CatalogFolder(std::string(args.Get("--catalog")));
  if (!catalog.ok()) return console.Fail(catalog.status());
  ServeOptions options{.config_path = std::string(args.Get("--config")),
                       // The supervisor outlives us and our working folder.
                       .state_dir = std::filesystem::absolute(args.Get("--state")).string(),
                       .catalog_dir = *catalog,
                       .machine = MachineHere(),
                       .version = SPILLWAY_VERSION};
  if (args.Has("--listen")) options.listen = std::string(args.Get("--listen"));
  options.adapters =
      [](const AdapterNeeds& needs) -> absl::StatusOr<std::unique_ptr<ServedAdapters>> {
    auto adapters = std::make_unique<AdaptersHere>(needs);
    SPILLWAY_RETURN_IF_ERROR(adapters->Start(needs.config));
    return adapters;
  };
  options.simulations = [](const SimulationNeeds& needs) {
    return std::make_unique<SimulationChild>(
        SimulationChild::Options{.library = LibraryBeside(needs.catalog_dir),
                                 .catalog = std::filesystem::absolute(needs.catalog_dir).string(),
                                 .database = needs.database,
                                 .jobs = std::max(CpusHere() - 1, 1)});
  };
  const absl::Status served = RunServe(options);
  return served.ok() ? kExitOk : console.Fail(served);
}

int Supervise(const Invocation& args, Console&) {
  return RunSupervisor({.dir = args.operands.front()});
}

}  // namespace spillway::cli
