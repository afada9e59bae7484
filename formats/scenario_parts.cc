#include "formats/scenario_parts.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/config_file.h"
#include "formats/did_you_mean.h"
#include "formats/policy_text.h"
#include "formats/pool_text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr int kMostNodes = 10'000;
// Of a node whose catalogue entry does not say what stands around its devices.
constexpr std::int64_t kCpusPerDevice = 4, kMemoryPerDeviceMemory = 2;

// What words like "g5.xlarge (1 device, 4 vCPU, 16 GiB), us-east-1" say of the node that was
// priced; devices are 0 where the words name none.
std::optional<NodeShape> ShapeOf(std::string_view of) {
  const std::size_t open = of.find('('), close = of.find(')');
  if (open == of.npos || close == of.npos || close < open) return std::nullopt;
  NodeShape shape;
  std::string_view rest = of.substr(open + 1, close - open - 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(", ");
    const std::string_view item = rest.substr(0, comma);
    rest = comma == rest.npos ? "" : rest.substr(comma + 2);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), number);
    if (error != std::errc()) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(item.data() + item.size() - end));
    if (unit == " device" || unit == " devices") {
      shape.devices = static_cast<int>(number);
    } else if (unit == " vCPU") {
      shape.cpus = MilliCpus(number * 1000);
    } else if (const auto memory = ParseBytes(item); memory.ok()) {
      shape.memory = *memory;
    } else {
      return std::nullopt;
    }
  }
  return shape;
}

// One node as the catalogue's first price has it, else a plain one.
NodeShape UsualNode(const Device& device) {
  NodeShape node;
  if (!device.prices.empty()) node = ShapeOf(device.prices.front().of).value_or(NodeShape{});
  if (device.kind == DeviceKind::kCpu) {
    return {.cpus = MilliCpus(device.vcpus * 1000), .memory = device.memory, .devices = 0};
  }
  if (node.devices == 0) node.devices = 1;
  if (node.cpus <= MilliCpus(0)) node.cpus = MilliCpus(kCpusPerDevice * 1000 * node.devices);
  if (node.memory <= Bytes(0))
    node.memory = device.memory * (kMemoryPerDeviceMemory * node.devices);
  return node;
}

void ReadSizeNode(const Place& at, NodeShape& node) {
  ObjectReader r(at, "`node`");
  r.Optional("cpus", node.cpus);
  r.Optional("memory", node.memory);
  r.Optional("devices", node.devices, Between(1, 64));
  r.Finish();
}

void ReadSizePrice(const Place& at, std::optional<UsdPerHour>& out) {
  ObjectReader r(at, "`price`");
  UsdPerHour rate;
  std::string as_of, source;
  if (r.Required("node_hour", rate)) out = rate;
  r.Optional("as_of", as_of, ReadDay);
  r.Optional("source", source);
  r.Finish();
}

const Device* FindSizedDevice(const Place& at, const std::string& name, const Catalog& catalog) {
  const auto found = catalog.devices.find(name);
  if (found != catalog.devices.end()) return &found->second;
  at.Fail(absl::StrCat("the catalogue has no device `", name, "`",
                       DidYouMeanName(name, KeysOf(catalog.devices))));
  return nullptr;
}

void ReadSize(const Place& at, const Catalog& catalog, FleetSize& out) {
  ObjectReader r(at, "`size`");
  const Device* device = nullptr;
  if (r.Required("device", out.device, ReadName))
    device = FindSizedDevice(at.Child(*r.Take("device")), out.device, catalog);
  // There is one objective: the scenario's.
  std::string objective = "same";
  if (r.Optional("objective", objective) && objective != "same")
    FailWord(at.Child(*r.Take("objective")), objective, {"same"});
  const NodeShape usual = device ? UsualNode(*device) : NodeShape{};
  out.node = usual;
  r.Optional("node", out.node, ReadSizeNode);
  r.Optional("most", out.most, Between(1, kMostNodes));
  r.Optional("price", out.node_hour, ReadSizePrice);
  r.Optional("precision", out.precision);
  r.Finish();
  if (!device || out.node_hour || r.Has("price")) return;
  if (device->prices.empty())
    return at.Fail(absl::StrCat("the catalogue has no price of `", out.device,
                                "`: say `price: {node_hour: ...}`"));
  if (out.node.devices != usual.devices)
    return at.Fail(absl::StrCat("the catalogue's price is of a node with ", usual.devices,
                                " devices: say `price: {node_hour: ...}` for one with ",
                                out.node.devices));
  out.node_hour = device->prices.front().node_hour;
}

// Without a price no bill can be made, and unknown is not free.
void CheckPrices(const Place& at, const ScenarioFleet& fleet) {
  for (const PoolSpec& pool : fleet.spec.pools) {
    if (pool.billing != Billing::kUnpriced) continue;
    at.Fail(absl::StrCat("pool `", pool.name, "` of fleet `", fleet.name,
                         "` has no price: a bill cannot be made without one"));
  }
}

void ReadFleetFile(const Place& at, const std::string& named, const FleetSources& sources,
                   ScenarioInputs& inputs, ScenarioFleet& out) {
  std::string text;
  out.file = inputs.PathOf(named);
  if (!inputs.Read(at, named, "fleet", text)) return;
  auto loaded = ParseConfig(text, out.file, sources.catalog, sources.machine);
  if (!loaded.ok()) return inputs.AddFault(loaded.status());
  if (sources.warnings) {
    for (const InputFinding& finding : loaded->warnings)
      sources.warnings->push_back(Describe(finding, out.file));
  }
  out.spec = std::move(loaded->config.fleet);
  out.tenants = std::move(loaded->config.tenants);
  CheckPrices(at, out);
}

}  // namespace

void ReadScenarioFleet(const Place& at, const FleetSources& sources, ScenarioInputs& inputs,
                       ScenarioFleet& out) {
  if (!at.value().is_map()) {
    const std::string named = TextOf(at);
    if (!named.empty()) ReadFleetFile(at, named, sources, inputs, out);
    return;
  }
  ObjectReader r(at, "a fleet");
  FleetSize size;
  r.Required("size", size, [&](const Place& p, FleetSize& s) { ReadSize(p, sources.catalog, s); });
  r.Finish();
  out.size = std::move(size);
}

void ReadScenarioPolicy(const Place& at, ScenarioInputs& inputs, ScenarioPolicy& out) {
  const std::string named = TextOf(at);
  if (named.empty()) return;
  std::string text;
  out.file = inputs.PathOf(named);
  if (!inputs.Read(at, named, "policy", text)) return;
  auto policy = ParsePolicy(text, out.file);
  if (!policy.ok()) return inputs.AddFault(policy.status());
  out.spec = *std::move(policy);
}

void ReadScenarioObjective(const Place& at, ScenarioObjective& out) {
  ObjectReader r(at, "`objective`");
  const auto span = [](const Place& p, std::optional<absl::Duration>& time) {
    absl::Duration read{};
    ReadSpan(p, read);
    if (read > absl::ZeroDuration()) time = read;
  };
  r.Optional("ttft", out.ttft, span);
  r.Optional("tpot", out.tpot, span);
  if (r.Optional("attainment", out.attainment, ReadPercent) && out.attainment <= 0)
    at.Fail("an `attainment` of nothing asks for nothing: more than 0%");
  r.Finish();
}

void ReadScenarioPair(const Place& at, const ScenarioSpec& scenario,
                      std::pair<std::string, std::string>& out) {
  if (!at.value().is_list() || at.value().list().size() != 2)
    return FailKind(at, "a fleet and a policy, like [mixed, backstop]");
  const auto known = [](const Place& p, std::string& name, const auto& entries, const char* what) {
    std::string word;
    ReadName(p, word);
    if (word.empty()) return;
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(entry.name);
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      const std::string nearest = NearestWord(word, names);
      return p.Fail(
          absl::StrCat("the scenario has no ", what, " `", word, "`",
                       nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
    }
    name = word;
  };
  known(at.Item(0), out.first, scenario.fleets, "fleet");
  known(at.Item(1), out.second, scenario.policies, "policy");
}

}  // namespace spillway
