#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/modelled/engine_faults.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "performance/engine.h"
#include "performance/step_time.h"

// An inference engine of hardware that is not here. Speed, queue and memory are pretended, by
// performance/engine.h in wall time; the protocol never is: OpenAI's API over HTTP, with vLLM's
// metrics. What it says are pseudo words; how many is drawn for each request, so that nobody knows
// beforehand, but the same request to any engine with the same seed gets the same answer.
namespace spillway {

// Which engine it is.
struct EngineModel {
  std::string name;  // as clients call it
  Model model;       // context, kind, width and bytes of a token are what counts here
  std::shared_ptr<const StepTimes> times;
  EngineLimits limits;
};
// One replica of `serve` on `pool`, as fast as the pool's `speed` says. kNotFound: the catalogue
// lacks the device or the model; kFailedPrecondition: it does not fit, with bytes found and wanted,
// or the device cannot compute it.
absl::StatusOr<EngineModel> EngineModelFor(const Catalog& catalog, const PoolSpec& pool,
                                           const ServeSpec& serve);

struct ModelledEngineOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;    // 0: the kernel chooses
  std::uint64_t seed = 1;    // of words and lengths
  double mean_output = 128;  // tokens of an answer, >= 1
  int full_status = 503;     // what a full queue is answered with: 503, or 429
  EngineFaults faults;
  std::uint64_t fault_seed = 1;
  bool faults_endpoint = false;  // GET and POST /_faults show and replace them
  std::string version = "0";
};

// One replica: a server with one thread, and one that steps the engine. Both sleep while nobody
// asks. Paths: /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models[/{id}], /health,
// /version, /metrics. A client that leaves frees its sequences within 100 ms. Bounds: bodies 16
// MiB, the queue by the limits, 128 sequences and 1 M tokens of output a request.
class ModelledEngine {
 public:
  // kUnavailable: the address is taken.
  static absl::StatusOr<std::unique_ptr<ModelledEngine>> Start(EngineModel model,
                                                               ModelledEngineOptions options);
  ~ModelledEngine();  // Drain(0)

  std::string origin() const;    // "http://127.0.0.1:41234"
  std::string base_url() const;  // the same with /v1, as clients want it

  // Takes no more, lets answers under way finish until `grace` is over. Blocks; true if all did.
  bool Drain(absl::Duration grace);

  // Sequences in the batch, in the queue, blocks in use: for whoever hosts it.
  EngineGauges gauges() const;

 private:
  class Service;
  explicit ModelledEngine(std::unique_ptr<Service> service);
  std::unique_ptr<Service> service_;
};

}  // namespace spillway
