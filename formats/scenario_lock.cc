#include "formats/scenario_lock.h"

#include "core/explain.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/policy_text.h"
#include "formats/units.h"

namespace spillway {
namespace {

Value Text(std::string_view text) { return Value::MakeString(text); }

Value PairOf(const std::pair<std::string, std::string>& pair) {
  return Value::MakeList({Text(pair.first), Text(pair.second)});
}

Value NodeOf(const NodeShape& node) {
  Value out = Value::MakeMap();
  out.Set("cpus", Text(Format(node.cpus)));
  out.Set("memory", Text(Format(node.memory)));
  out.Set("devices", Value::MakeInteger(node.devices));
  return out;
}

Value PoolOf(const PoolSpec& pool) {
  Value out = Value::MakeMap();
  out.Set("name", Text(pool.name));
  out.Set("device", Text(pool.device));
  out.Set("kind", Text(NameOf(pool.kind)));
  out.Set("vendor", Text(pool.vendor));
  out.Set("node", NodeOf(pool.node));
  out.Set("nodes", Value::MakeInteger(pool.nodes));
  out.Set("billing", Text(NameOf(pool.billing)));
  Value& price = out.Set("price", Value::MakeMap());
  if (pool.price.node_hour) price.Set("node_hour", Text(Format(*pool.price.node_hour)));
  if (pool.price.input) price.Set("input", Text(Format(*pool.price.input)));
  if (pool.price.output) price.Set("output", Text(Format(*pool.price.output)));
  if (!pool.price.as_of.empty()) price.Set("as_of", Text(pool.price.as_of));
  if (!pool.price.source.empty()) price.Set("source", Text(pool.price.source));
  Value& serves = out.Set("serves", Value::MakeList());
  for (const ServeSpec& serve : pool.serves) {
    Value& entry = serves.Append(Value::MakeMap());
    entry.Set("model", Text(serve.model));
    if (serve.work_class.empty()) entry.Set("precision", Text(NameOf(serve.precision)));
    if (!serve.work_class.empty()) entry.Set("class", Text(serve.work_class));
    if (serve.max_items) entry.Set("max_items", Value::MakeInteger(*serve.max_items));
    if (serve.max_delay) entry.Set("max_delay", Text(Format(*serve.max_delay)));
    if (serve.instances) entry.Set("instances", Value::MakeInteger(*serve.instances));
    entry.Set("replicas", Value::MakeInteger(serve.replicas));
  }
  return out;
}

Value FleetOf(const ScenarioFleet& fleet) {
  Value out = Value::MakeMap();
  if (fleet.size) {
    Value& size = out.Set("size", Value::MakeMap());
    size.Set("device", Text(fleet.size->device));
    size.Set("node", NodeOf(fleet.size->node));
    size.Set("most", Value::MakeInteger(fleet.size->most));
    if (fleet.size->node_hour) size.Set("node_hour", Text(Format(*fleet.size->node_hour)));
    if (fleet.size->precision) size.Set("precision", Text(NameOf(*fleet.size->precision)));
    return out;
  }
  Value& pools = out.Set("pools", Value::MakeList());
  for (const PoolSpec& pool : fleet.spec.pools) pools.Append(PoolOf(pool));
  return out;
}

void SetOwnKeys(const ScenarioSpec& scenario, Value& out) {
  out.Set("start", Text(Format(scenario.start)));
  Value accounting = Value::MakeList();
  for (const Accounting book : scenario.accounting) accounting.Append(Text(NameOf(book)));
  out.Set("accounting", std::move(accounting));
  Value pairs = Value::MakeList();
  for (const auto& pair : scenario.pairs) pairs.Append(PairOf(pair));
  out.Set("pairs", std::move(pairs));
  out.Set("baseline", PairOf(scenario.baseline));
  Value objective = Value::MakeMap();
  if (scenario.objective.ttft) objective.Set("ttft", Text(Format(*scenario.objective.ttft)));
  if (scenario.objective.tpot) objective.Set("tpot", Text(Format(*scenario.objective.tpot)));
  objective.Set("attainment", Text(FormatPercent(scenario.objective.attainment)));
  out.Set("objective", std::move(objective));
  out.Set("warm_up", Text(Format(scenario.warm_up)));
  out.Set("drain", Text(Format(scenario.drain)));
  out.Set("seeds", Value::MakeInteger(scenario.seeds));
}

}  // namespace

absl::StatusOr<Value> LockScenario(const ScenarioSpec& scenario) {
  Value out = Value::MakeMap();
  if (!scenario.text.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(out, ParseYaml(scenario.text, scenario.path));
  }
  SetOwnKeys(scenario, out);
  Value& files = out.Set("files", Value::MakeList());
  for (const ScenarioInput& input : scenario.inputs) {
    Value& file = files.Append(Value::MakeMap());
    file.Set("file", Text(input.file));
    file.Set("what", Text(input.what));
    file.Set("bytes", Value::MakeInteger(input.bytes));
    file.Set("xxh64", Text(input.xxh64));
  }
  Value& resolved = out.Set("resolved", Value::MakeMap());
  Value& policies = resolved.Set("policies", Value::MakeMap());
  for (const ScenarioPolicy& policy : scenario.policies)
    policies.Set(policy.name, ToValue(policy.spec));
  Value& fleets = resolved.Set("fleets", Value::MakeMap());
  for (const ScenarioFleet& fleet : scenario.fleets) fleets.Set(fleet.name, FleetOf(fleet));
  return out;
}

}  // namespace spillway
