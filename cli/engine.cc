#include <csignal>
#include <ostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/modelled/engine_server.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/exit_code.h"
#include "controller/signal_queue.h"
#include "core/status.h"
#include "formats/catalog_file.h"
#include "net/url.h"

namespace spillway::cli {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(10);  // for answers under way, as `drain:` of serve

// An entry of the catalogue by name, or an error with the nearest.
template <class T>
absl::StatusOr<const T*> Named(const std::map<std::string, T>& entries, std::string_view option,
                               const std::string& name) {
  const auto found = entries.find(name);
  if (found != entries.end()) return &found->second;
  std::vector<std::string> known;
  known.reserve(entries.size());
  for (const auto& [key, entry] : entries) known.push_back(key);
  const std::string nearest = NearestWord(name, known);
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(option), ": the catalogue has no `", name, "`",
                   nearest.empty() ? absl::StrCat("; there are ", absl::StrJoin(known, ", "))
                                   : absl::StrCat(" (did you mean `", nearest, "`?)")));
}

template <class T>
absl::StatusOr<T> NumberFrom(const Invocation& args, std::string_view option, T otherwise, T low,
                             T high) {
  const std::string text(args.Get(option));
  if (text.empty()) return otherwise;
  T value{};
  bool read = false;
  if constexpr (std::is_floating_point_v<T>)
    read = absl::SimpleAtod(text, &value);
  else
    read = absl::SimpleAtoi(text, &value);
  if (read && value >= low && value <= high) return value;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(option), ": `", text, "` is no number from ", low, " to ", high));
}

// The hardware as a pool of one node.
absl::StatusOr<PoolSpec> PoolOf(const Invocation& args, const Catalog& catalog) {
  PoolSpec pool{.name = "engine"};
  pool.device = std::string(args.Get("--device"));
  SPILLWAY_ASSIGN_OR_RETURN(const Device* device, Named(catalog.devices, "--device", pool.device));
  SPILLWAY_ASSIGN_OR_RETURN(const int devices, NumberFrom(args, "--devices", 1, 1, 64));
  SPILLWAY_ASSIGN_OR_RETURN(pool.speed, NumberFrom(args, "--speedup", 1.0, 1e-6, 1e9));
  pool.adapter = {.type = "modelled", .speedup = pool.speed};
  pool.modelled = true;
  pool.kind = device->kind;
  pool.vendor = device->vendor;
  if (device->kind == DeviceKind::kCpu) {
    // More slices of the server, as one machine.
    pool.node.cpus = MilliCpus(std::int64_t{1000} * device->vcpus * devices);
    pool.node.memory = device->memory * devices;
  } else {
    pool.node.devices = devices;
    pool.device_memory = device->memory;
  }
  return pool;
}

absl::StatusOr<ServeSpec> ServeOf(const Invocation& args, const Catalog& catalog) {
  ServeSpec serve{.model = std::string(args.Get("--model"))};
  SPILLWAY_RETURN_IF_ERROR(Named(catalog.models, "--model", serve.model).status());
  serve.upstream = std::string(args.Get("--name"));
  if (const std::string word(args.Get("--precision")); !word.empty()) {
    const auto precision = ParseName<Precision>(word);
    if (!precision)
      return absl::InvalidArgumentError(
          absl::StrCat("--precision: `", word, "` is none of bf16, fp16, fp8, int8, int4"));
    serve.precision = *precision;
  }
  if (args.Has("--max-sequences")) {
    SPILLWAY_ASSIGN_OR_RETURN(serve.max_sequences,
                              NumberFrom(args, "--max-sequences", 64, 1, 10'000));
  }
  return serve;
}

absl::StatusOr<ModelledEngineOptions> OptionsOf(const Invocation& args) {
  ModelledEngineOptions options{.version = SPILLWAY_VERSION};
  const std::string listen =
      args.Has("--listen") ? std::string(args.Get("--listen")) : "127.0.0.1:8000";
  SPILLWAY_ASSIGN_OR_RETURN(const HostPort at, ParseHostPort(listen));
  options.host = at.host;
  options.port = at.port;
  SPILLWAY_ASSIGN_OR_RETURN(options.seed,
                            NumberFrom<std::uint64_t>(args, "--seed", 1, 0, UINT64_MAX));
  options.fault_seed = options.seed;
  SPILLWAY_ASSIGN_OR_RETURN(options.mean_output,
                            NumberFrom(args, "--mean-output", 128.0, 1.0, 1e6));
  SPILLWAY_ASSIGN_OR_RETURN(options.faults, EngineFaultsOf(args.All("--fault")));
  options.faults_endpoint = args.Has("--fault-endpoint");
  return options;
}

absl::StatusOr<EngineModel> EngineOf(const Invocation& args) {
  for (const char* option : {"--device", "--model"}) {
    if (args.Get(option).empty())
      return absl::InvalidArgumentError(absl::StrCat("engine needs ", option));
  }
  SPILLWAY_ASSIGN_OR_RETURN(const std::string folder,
                            CatalogFolder(std::string(args.Get("--catalog"))));
  SPILLWAY_ASSIGN_OR_RETURN(const Catalog catalog, LoadCatalog(folder));
  SPILLWAY_ASSIGN_OR_RETURN(const PoolSpec pool, PoolOf(args, catalog));
  SPILLWAY_ASSIGN_OR_RETURN(const ServeSpec serve, ServeOf(args, catalog));
  auto model = EngineModelFor(catalog, pool, serve);
  // What does not fit is a mistake in the words that were given.
  if (absl::IsFailedPrecondition(model.status()))
    return absl::InvalidArgumentError(model.status().message());
  return model;
}

absl::Status RunUntilStopped(const Invocation& args, Console& console) {
  SPILLWAY_ASSIGN_OR_RETURN(EngineModel model, EngineOf(args));
  SPILLWAY_ASSIGN_OR_RETURN(ModelledEngineOptions options, OptionsOf(args));
  SPILLWAY_ASSIGN_OR_RETURN(const auto signals, SignalQueue::Open());
  SPILLWAY_ASSIGN_OR_RETURN(const auto engine,
                            ModelledEngine::Start(std::move(model), std::move(options)));
  console.out << "listening on " << engine->origin() << std::endl;
  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) signal = signals->Next();
  engine->Drain(kGrace);
  return absl::OkStatus();
}

}  // namespace

int RunEngine(const Invocation& args, Console& console) {
  const absl::Status ran = RunUntilStopped(args, console);
  return ran.ok() ? kExitOk : console.Fail(ran);
}

}  // namespace spillway::cli
