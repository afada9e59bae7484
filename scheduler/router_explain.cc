#include "scheduler/router.h"

#include "policies/cascade.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

// Decisions made again from what is recorded of them: for readers, and for the check that they
// come out the same.
namespace spillway {
namespace {

Candidate CandidateFrom(const RoutedPool& routed, PoolId id) {
  Candidate candidate{.pool = id,
                      .verdict = routed.verdict,
                      .codes = routed.codes,
                      .figures = routed.figures,
                      .position = static_cast<std::int16_t>(routed.tier),
                      .backstop = routed.backstop,
                      .has_estimate = routed.open};
  if (routed.open) candidate.estimate = routed.estimate;
  return candidate;
}

std::uint64_t HashOf(const Request& request) {
  const RequestFeatures& f = request.features;
  const auto span = [](const auto& asked) { return asked ? ToNanos(*asked) : -1; };
  std::vector<std::int64_t> seen{static_cast<std::int64_t>(Number(request.view)),
                                 f.prompt_bytes,
                                 f.max_tokens.value_or(-1),
                                 f.choices,
                                 static_cast<std::int64_t>(f.kind),
                                 f.max_cost ? f.max_cost->value() : -1,
                                 span(f.ttft),
                                 span(f.tpot),
                                 static_cast<std::int64_t>(request.draw)};
  const auto add = [&](const std::string& text) {
    seen.push_back(static_cast<std::int64_t>(XXH64(text.data(), text.size(), 0)));
  };
  for (const std::string* text : {&f.tenant, &f.model, &f.pin}) add(*text);
  for (const std::string& model : f.models) add(model);
  if (f.kind == ModelKind::kBatch) seen.push_back(f.items);
  if (f.prompts > 1) seen.insert(seen.end(), {f.prompts, f.longest_prompt_bytes});
  for (const EndpointReading& r : request.readings) {
    seen.insert(seen.end(), {r.endpoint, r.load.running, r.load.waiting, r.load.waiting_tokens,
                             r.load.context_tokens, r.load.cached_blocks});
  }
  return XXH64(seen.data(), seen.size() * sizeof seen[0], 0);
}

}  // namespace

Decision ExplainRequest(const RouterView& view, const Request& request) {
  const RequestShape shape = MakeRequestShape(view, request.features);
  Router router;
  const RoutePlan& route =
      router.Choose(view, shape, request.features, request.readings, request.draw);
  Decision decision;
  decision.request = request.id;
  decision.at = request.features.arrived;
  decision.tenant = request.features.tenant;
  decision.outcome = route.outcome == Routed::kRouted ? Outcome::kPlaced
                     : route.outcome == Routed::kFull ? Outcome::kWaiting
                                                      : Outcome::kRefused;
  decision.policy = view.policy().spec().name;
  decision.policy_version = view.inputs().policy_version;
  if (shape.rule >= 0)
    decision.rule = view.policy().spec().rules[static_cast<std::size_t>(shape.rule)].name;
  decision.inputs_hash = HashOf(request);
  decision.baseline = {
      .pool = request.baseline_pool, .cost = request.baseline_cost, .code = request.baseline_code};
  for (std::size_t p = 0; p < view.pools().size(); ++p) {
    decision.candidates.push_back({.pool = view.pools()[p].id,
                                   .verdict = Verdict::kRefused,
                                   .codes = shape.pools[p].codes,
                                   .figures = shape.pools[p].figures});
  }
  for (const RoutedPool& routed : route.pools)
    decision.candidates[routed.pool] = CandidateFrom(routed, view.pools()[routed.pool].id);
  if (route.chosen >= 0) {
    const RoutedPool& chosen = route.pools[static_cast<std::size_t>(route.chosen)];
    decision.chosen = view.pools()[chosen.pool].id;
  }
  return decision;
}

bool SameEscalation(const RouterView& view, const Request& request) {
  if (!request.cascade || request.cascade->attempt != 1) return true;
  const CascadeStep& step = *request.cascade;
  // Where there was no answer, there was nothing to judge.
  if (step.why == Escalation::kNotRouted || step.why == Escalation::kFailed) return true;
  const CascadeSpec* cascade = FindCascade(view.policy().spec(), step.name);
  return cascade != nullptr && JudgeAnswer(cascade->escalate_when, step.facts) == step.why;
}

bool SameRoute(const RouterView& view, const Request& request) {
  const RequestShape shape = MakeRequestShape(view, request.features);
  Router router;
  const RoutePlan& route =
      router.Choose(view, shape, request.features, request.readings, request.draw);
  return route.order == request.order && SameEscalation(view, request);
}

}  // namespace spillway
