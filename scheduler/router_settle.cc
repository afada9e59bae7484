#include <algorithm>

#include "scheduler/router_batch.h"
#include "scheduler/router_estimate.h"

// What is booked of a request once it is over, and what is set aside for it before.
namespace spillway {
namespace {

// Sequences in flight for the request's models, wherever they are.
int InFlight(const Request& request) {
  int all = 0;
  for (const EndpointReading& reading : request.readings)
    all += reading.load.running + reading.load.waiting;
  return all;
}

// Its engines share all that is in flight now.
EndpointLoad LoadAtBaseline(const Request& request, const Served& served, const RequestSize& size,
                            int engines) {
  if (served.batch) return SharedBatchLoad(request, served, engines);
  const int others = std::min(InFlight(request) / engines,
                              std::max(served.limits.max_sequences - size.sequences, 0));
  return {.running = others,
          .context_tokens = others * (size.prompt / size.prompts + size.output / 2)};
}

void SettleBaseline(const RouterView& view, const RequestShape& shape, const RequestSize& size,
                    Request& request) {
  request.baseline_cost.reset();
  request.baseline_pool = kNoPool;
  request.baseline_code = shape.baseline_code;
  for (const RequestShape::BaselinePool& baseline : shape.baselines) {
    const ViewEndpoint& endpoint = view.endpoints()[baseline.endpoint];
    const Served& served = *endpoint.Find(shape.models);
    const Estimate there = EstimateOn(
        view, endpoint, served, LoadAtBaseline(request, served, size, baseline.engines), size);
    if (IsInfinite(there.duration.p50)) {
      if (!request.baseline_cost) request.baseline_code = Code::kMemory;
      continue;
    }
    if (request.baseline_cost && *request.baseline_cost <= there.cost) continue;
    request.baseline_cost = there.cost;
    request.baseline_pool = view.pools()[baseline.pool].id;
    request.baseline_code = Code::kChosen;
  }
}

// Tokens beyond what was asked for that an engine may count: templates and ends of turns, pictures.
constexpr std::int64_t kPromptExtra = 32'768, kAnswerExtra = 16;
constexpr std::int64_t kMostTokens = 10'000'000;  // of an answer of which nothing is known

// An engine is paid and judged by what it says. What it cannot have read or written is not believed
// and not kept: what is booked then is the estimate, and the record shows that the count is
// missing.
// True: nobody knows how long the answer was.
bool ForgetImpossible(const ViewModel& model, Request& request) {
  const RequestFeatures& f = request.features;
  const auto forget = [](std::optional<std::int64_t>& count, std::int64_t most) {
    if (!count || (*count >= 0 && *count <= most)) return false;
    count.reset();
    return true;
  };
  // A token is a byte of text at least.
  forget(request.prompt_tokens, f.prompt_bytes + kPromptExtra);
  forget(request.cached_tokens,
         std::min(request.prompt_tokens.value_or(0), f.prompt_bytes + kPromptExtra));
  const bool answers = f.kind == ModelKind::kChat;  // with tokens
  std::int64_t each = answers ? f.max_tokens.value_or(model.context) : 0;
  if (answers && !f.max_tokens && each == 0) each = kMostTokens;
  if (!forget(request.output_tokens, (std::min(each, kMostTokens) + kAnswerExtra) * f.sequences()))
    return false;
  request.tpot.reset();
  return answers;
}

// What was expected of the endpoint that answered, which need not be the one chosen first.
void SettleExpectation(const RouterView& view, const RequestShape& shape,
                       const ViewEndpoint& endpoint, const Expectation* known, Request& request) {
  const std::uint32_t place = view.PlaceOf(endpoint.key);
  if (known != nullptr && known->endpoint == place) {
    request.expected = known->estimate;
    request.raw_ttft = known->raw_ttft;
    request.raw_tpot = known->raw_tpot;
    return;
  }
  const auto reading = std::find_if(request.readings.begin(), request.readings.end(),
                                    [&](const EndpointReading& r) { return r.endpoint == place; });
  const EndpointLoad load = reading == request.readings.end() ? EndpointLoad() : reading->load;
  const RequestSize size = SizeOf(view, shape, request.features);
  const Served& served = *endpoint.Find(shape.models);
  const RequestTiming timing = TimingOn(view, endpoint, served, load, size);
  if (IsInfinite(timing.ttft)) return;
  request.expected = EstimateFrom(view, endpoint, served, load, size, timing);
  request.raw_ttft = timing.raw_ttft;
  request.raw_tpot = timing.raw_tpot;
}

}  // namespace

Usd MostCostOf(const RouterView& view, const RequestShape& shape, const Request& request) {
  const RequestFeatures& features = request.features;
  const RequestSize size = SizeOf(view, shape, features);
  Usd most{};
  for (const EndpointReading& reading : request.readings) {
    const auto& order = request.order;
    if (std::find(order.begin(), order.end(), reading.endpoint) == order.end()) continue;
    const ViewEndpoint& endpoint = view.endpoints()[reading.endpoint];
    const Served& served = *endpoint.Find(shape.models);
    const std::int64_t longest = LikelyLongest(view, served, features, size);
    most = std::max(most, MostCostOn(view, endpoint, served, reading.load, size, longest));
  }
  return most;
}

void SettleLost(const RouterView& view, ForwardAttempt& lost) {
  const std::uint32_t place = view.PlaceOf(lost.endpoint);
  if (place >= view.endpoints().size() || lost.held <= absl::ZeroDuration()) return;
  Estimate booked;
  Charge(view, view.endpoints()[place], lost.held, RequestSize(), 0, booked);
  lost.cost = booked.cost;
  lost.marginal_cost = booked.marginal_cost;
  lost.energy = booked.energy;
  lost.carbon = booked.carbon;
}

void SettleRequest(const RouterView& view, const RequestShape& shape, Request& request,
                   const Expectation* known) {
  const std::uint32_t place = view.PlaceOf(request.endpoint());
  if (place >= view.endpoints().size()) return;
  const ViewEndpoint& endpoint = view.endpoints()[place];
  const Served* served = endpoint.Find(shape.models);
  if (!served) return;
  const bool forgotten =
      ForgetImpossible(view.models()[static_cast<std::size_t>(served->model)], request);
  RequestSize size = SizeOf(view, shape, request.features);
  size.prompt = request.prompt_tokens.value_or(size.prompt);
  // The engine counts all answers together.
  size.output = request.output_tokens ? *request.output_tokens / size.sequences : size.output;
  Estimate booked;
  request.egress = Charge(view, endpoint, request.held, size,
                          request.output_tokens.value_or(size.output * size.sequences), booked);
  request.cost = booked.cost;
  request.marginal_cost = booked.marginal_cost;
  request.priced = booked.priced;
  request.energy = booked.energy;
  request.carbon = booked.carbon;
  SettleBaseline(view, shape, size, request);
  if (forgotten) {  // nothing to compare it with
    request.baseline_cost.reset();
    request.baseline_pool = kNoPool;
    request.baseline_code = Code::kUnpriced;
  }
  SettleExpectation(view, shape, endpoint, known, request);
}

}  // namespace spillway
