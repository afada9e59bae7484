#include "formats/policy_text.h"

#include "core/status.h"
#include "formats/cascade_text.h"
#include "formats/document.h"
#include "formats/selector_text.h"
#include "formats/units.h"
#include "formats/yaml_writer.h"

namespace spillway {
namespace {

constexpr std::size_t kMostRules = 1000;

void ReadClaim(const Place& at, ClaimSpec& claim) {
  ObjectReader r(at, "`claim`");
  r.Optional("order", claim.order);
  if (r.Has("backstop")) claim.backstop.emplace();
  if (const Member* backstop = r.Take("backstop")) {
    ReadPoolSelector(at.Child(*backstop), *claim.backstop);
  }
  if (const Member* only = r.Take("only")) {
    ReadPoolSelector(at.Child(*only), claim.only.emplace());
  }
  r.Optional("band", claim.band, ReadPercent);
  r.Finish();
}

void ReadRule(const Place& at, RuleSpec& rule) {
  ObjectReader r(at, "a rule");
  r.Required("name", rule.name, ReadName);
  r.Optional("when", rule.when, ReadWorkSelector);
  r.Required("claim", rule.claim, Listed(ReadPoolSelector, kMostRules));
  r.Finish();
}

// "75% of slack". None of it would be `at-once`.
auto PercentOf(std::string_view whole) {
  return [whole](const Place& at, double& out) {
    ReadText(at, out, [&](std::string_view text) -> absl::StatusOr<double> {
      auto part = ParsePercentOf(text, whole);
      if (part.ok() && *part == 0) {
        return absl::InvalidArgumentError("is zero: write `rule: at-once` instead");
      }
      return part;
    });
  };
}
void ReadWaits(const Place& at, SpillSpec& spill) {
  ObjectReader r(at, "`wait_at_most`");
  r.Optional("job", spill.job_wait, PercentOf("slack"));
  r.Optional("request", spill.request_wait, PercentOf("ttft"));
  r.Finish();
}
void ReadSpill(const Place& at, SpillSpec& spill) {
  ObjectReader r(at, "`spill`");
  r.Optional("rule", spill.rule);
  r.Optional("wait_at_most", spill, ReadWaits);
  r.Optional("patience", spill.patience);
  r.Finish();
}

void ReadWeights(const Place& at, ChoiceWeights& weights) {
  ObjectReader r(at, "`weights`");
  weights = {.cost = 0};  // what is not named does not count
  r.Optional("cost", weights.cost);
  r.Optional("latency", weights.latency);
  r.Optional("energy", weights.energy);
  r.Optional("carbon", weights.carbon);
  r.Optional("load", weights.load);
  r.Finish();
}

void ReadQueue(const Place& at, QueueSpec& queue) {
  ObjectReader r(at, "`queue`");
  r.Optional("discipline", queue.discipline);
  r.Optional("aging", queue.aging, [](const Place& place, absl::Duration& aging) {
    ReadText(place, aging, ParseOnePer);
  });
  r.Finish();
}

struct ModelObjective {
  std::string model;
  RequestObjective objective;
};
void ReadModelObjective(const Place& at, ModelObjective& out) {
  ObjectReader r(at, "an objective");
  r.Required("model", out.model);
  absl::Duration span;
  if (r.Optional("ttft", span, ReadSpan)) out.objective.ttft = span;
  if (r.Optional("tpot", span, ReadSpan)) out.objective.tpot = span;
  r.Finish();
}
void ReadModelObjectives(const Place& at, std::map<std::string, RequestObjective>& out) {
  std::vector<ModelObjective> all;
  Listed(ReadModelObjective)(at, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!out.emplace(all[i].model, all[i].objective).second)
      at.Item(i).Fail("an objective of that model stands further up already");
  }
}

void ReadObjectives(const Place& at, DefaultObjectives& objectives) {
  ObjectReader r(at, "`objectives`");
  r.Optional("job", objectives, [](const Place& place, DefaultObjectives& out) {
    ObjectReader job(place, "`job`");
    job.Optional("start_within", out.job_start_within, ReadSpan);
    job.Finish();
  });
  r.Optional("request", objectives, [](const Place& place, DefaultObjectives& out) {
    ObjectReader request(place, "`request`");
    request.Optional("ttft", out.request_ttft, ReadSpan);
    request.Optional("tpot", out.request_tpot, ReadSpan);
    request.Finish();
  });
  r.Optional("models", objectives.models, ReadModelObjectives);
  r.Finish();
}

Value Text(std::string_view text) { return Value::MakeString(text); }

Value RulesValue(const std::vector<RuleSpec>& rules) {
  Value list = Value::MakeList();
  for (const RuleSpec& rule : rules) {
    Value& map = list.Append(Value::MakeMap());
    map.Set("name", Text(rule.name));
    map.Set("when", ToValue(rule.when));
    Value& claim = map.Set("claim", Value::MakeList());
    for (const PoolSelector& selector : rule.claim) claim.Append(ToValue(selector));
  }
  return list;
}
Value ClaimValue(const ClaimSpec& claim) {
  Value map = Value::MakeMap();
  map.Set("order", Text(NameOf(claim.order)));
  if (claim.backstop) map.Set("backstop", ToValue(*claim.backstop));
  if (claim.only) map.Set("only", ToValue(*claim.only));
  map.Set("band", Text(FormatPercent(claim.band)));
  return map;
}
Value SpillValue(const SpillSpec& spill) {
  Value map = Value::MakeMap();
  map.Set("rule", Text(NameOf(spill.rule)));
  Value& waits = map.Set("wait_at_most", Value::MakeMap());
  waits.Set("job", Text(FormatPercentOf(spill.job_wait, "slack")));
  waits.Set("request", Text(FormatPercentOf(spill.request_wait, "ttft")));
  map.Set("patience", Text(Format(spill.patience)));
  return map;
}
Value WeightsValue(const ChoiceWeights& weights) {
  Value map = Value::MakeMap();
  map.Set("cost", Value::MakeReal(weights.cost));
  map.Set("latency", Value::MakeReal(weights.latency));
  map.Set("energy", Value::MakeReal(weights.energy));
  map.Set("carbon", Value::MakeReal(weights.carbon));
  map.Set("load", Value::MakeReal(weights.load));
  return map;
}
Value ObjectivesValue(const DefaultObjectives& objectives) {
  Value map = Value::MakeMap();
  Value& job = map.Set("job", Value::MakeMap());
  job.Set("start_within", Text(Format(objectives.job_start_within)));
  Value& request = map.Set("request", Value::MakeMap());
  request.Set("ttft", Text(Format(objectives.request_ttft)));
  request.Set("tpot", Text(Format(objectives.request_tpot)));
  if (!objectives.models.empty()) {
    Value models = Value::MakeList();
    for (const auto& [model, objective] : objectives.models) {
      Value entry = Value::MakeMap();
      entry.Set("model", Text(model));
      if (objective.ttft) entry.Set("ttft", Text(Format(*objective.ttft)));
      if (objective.tpot) entry.Set("tpot", Text(Format(*objective.tpot)));
      models.list().push_back(std::move(entry));
    }
    map.Set("models", std::move(models));
  }
  return map;
}

}  // namespace

PolicySpec DefaultPolicy() {
  PolicySpec policy;
  policy.claim.backstop.emplace().vendor = {"nvidia"};
  return policy;
}

void ReadPolicy(const Place& at, PolicySpec& out) {
  ObjectReader r(at, "a policy");
  ReadKind(r, "Policy");
  r.Optional("name", out.name, ReadName);
  r.Optional("claim", out.claim, ReadClaim);
  r.Optional("rules", out.rules, Listed(ReadRule, kMostRules));
  r.Optional("spill", out.spill, ReadSpill);
  r.Optional("choice", out.choice);
  r.Optional("weights", out.weights, ReadWeights);
  r.Optional("nodes", out.nodes);
  r.Optional("queue", out.queue, ReadQueue);
  r.Optional("objectives", out.objectives, ReadObjectives);
  r.Optional("default_duration", out.default_duration, ReadSpan);
  r.Optional("queue_timeout", out.queue_timeout, ReadSpan);
  r.Optional("allow_unpriced", out.allow_unpriced);
  r.Optional("baseline", out.baseline, ReadName);
  r.Optional("seed", out.seed);
  r.Optional("cascades", out.cascades, Listed(ReadCascade, kMostCascades));
  r.Finish();
}

absl::StatusOr<PolicySpec> ParsePolicy(std::string_view text, std::string_view name) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, name));
  Reading reading{std::string(name)};
  PolicySpec policy;
  ReadPolicy(Place(document, reading), policy);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return policy;
}

Value ToValue(const PolicySpec& policy) {
  Value map = Value::MakeMap();
  map.Set("kind", Text("Policy"));
  map.Set("name", Text(policy.name));
  map.Set("claim", ClaimValue(policy.claim));
  map.Set("rules", RulesValue(policy.rules));
  map.Set("spill", SpillValue(policy.spill));
  map.Set("choice", Text(NameOf(policy.choice)));
  map.Set("weights", WeightsValue(policy.weights));
  map.Set("nodes", Text(NameOf(policy.nodes)));
  Value& queue = map.Set("queue", Value::MakeMap());
  queue.Set("discipline", Text(NameOf(policy.queue.discipline)));
  queue.Set("aging", Text(FormatOnePer(policy.queue.aging)));
  map.Set("objectives", ObjectivesValue(policy.objectives));
  map.Set("default_duration", Text(Format(policy.default_duration)));
  map.Set("queue_timeout", Text(Format(policy.queue_timeout)));
  map.Set("allow_unpriced", Value::MakeBool(policy.allow_unpriced));
  map.Set("baseline", Text(policy.baseline));
  map.Set("seed", Value::MakeUnsigned(policy.seed));
  Value& cascades = map.Set("cascades", Value::MakeList());
  for (const CascadeSpec& cascade : policy.cascades) cascades.Append(ToValue(cascade));
  return map;
}
std::string WritePolicyYaml(const PolicySpec& policy) { return WriteYaml(ToValue(policy)); }
std::string WritePolicyJson(const PolicySpec& policy) { return WriteJson(ToValue(policy)); }

}  // namespace spillway
