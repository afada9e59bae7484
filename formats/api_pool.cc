#include <type_traits>

#include "core/explain.h"
#include "formats/api_json.h"
#include "formats/pool_text.h"

namespace spillway {
namespace {

double Count(MilliCpus cpus) { return static_cast<double>(cpus.value()) / 1000; }

template <class Texts>
void WriteTexts(JsonWriter& w, std::string_view key, const Texts& texts) {
  w.Key(key).BeginArray();
  for (const auto& text : texts) {
    if constexpr (std::is_enum_v<std::decay_t<decltype(text)>>) {
      w.Value(NameOf(text));
    } else {
      w.Value(text);
    }
  }
  w.EndArray();
}

void WriteTexts(JsonWriter& w, std::string_view key,
                const std::optional<std::vector<std::string>>& texts) {
  if (texts) return WriteTexts(w, key, *texts);
  w.NullMember(key);
}

void WriteMap(JsonWriter& w, std::string_view key, const std::map<std::string, std::string>& map) {
  w.Key(key).BeginObject();
  for (const auto& [name, value] : map) w.Member(name, value);
  w.EndObject();
}

void WriteNonEmpty(JsonWriter& w, std::string_view key, const std::string& text) {
  if (text.empty()) {
    w.NullMember(key);
  } else {
    w.Member(key, text);
  }
}

template <class Rate>
void WriteRate(JsonWriter& w, std::string_view key, const std::optional<Rate>& rate) {
  w.Key(key);
  if (rate) {
    WriteApiMoney(w, Usd(rate->value()));
  } else {
    w.Null();
  }
}

void WriteShape(JsonWriter& w, std::string_view key, MilliCpus cpus, Bytes memory,
                std::int64_t devices) {
  w.Key(key).BeginObject().Member("cpus", Count(cpus)).Member("memory", memory.value());
  w.Member("devices", devices).EndObject();
}

void WriteSite(JsonWriter& w, const Site& site) {
  w.Key("site").BeginObject().Member("name", site.name).Member("kind", NameOf(site.kind));
  w.Member("round_trip_s", absl::ToDoubleSeconds(site.round_trip));
  w.Key("bandwidth_bytes_per_second");
  if (site.bandwidth) {
    w.Value(site.bandwidth->value());
  } else {
    w.Null();
  }
  w.Key("egress_usd_per_gib");
  WriteApiMoney(w, Usd(site.egress.value()));
  w.Key("carbon_grams_per_kwh");
  if (site.carbon) {
    w.Value(site.carbon->value());
  } else {
    w.Null();
  }
  w.EndObject();
}

void WritePower(JsonWriter& w, const Power& power) {
  w.Key("power").BeginObject().Member("idle_watts", power.idle.value());
  w.Member("busy_watts", power.busy.value()).Member("pue", power.pue);
  WriteRate(w, "tariff_usd_per_kwh", power.tariff);
  w.Key("embodied_grams_per_hour");
  if (power.embodied) {
    WriteApiMicros(w, power.embodied->value());
  } else {
    w.Null();
  }
  w.EndObject();
}

// What it offers to work: everything that makes it able or not.
void WriteOffer(JsonWriter& w, const PoolSpec& spec) {
  w.Member("arch", NameOf(spec.arch)).Key("runtimes").BeginObject();
  for (const auto& [name, version] : spec.runtimes) w.Member(name, version.text());
  w.EndObject();
  WriteTexts(w, "precisions", spec.precisions);
  WriteTexts(w, "features", spec.features);
  WriteTexts(w, "confidential", spec.confidential);
  WriteTexts(w, "models", spec.models);
  WriteTexts(w, "classes", spec.classes);
  WriteTexts(w, "tenants", spec.tenants);
  WriteMap(w, "labels", spec.labels);
}

}  // namespace

void WritePrice(JsonWriter& w, const Price& in_force, const PoolSpec& pool) {
  const Price price = AsWritten(in_force, pool.adapter.speedup);
  w.BeginObject();
  WriteRate(w, "node_hour_usd", price.node_hour);
  WriteRate(w, "input_usd_per_mtoken", price.input);
  WriteRate(w, "output_usd_per_mtoken", price.output);
  WriteNonEmpty(w, "as_of", price.as_of);
  WriteNonEmpty(w, "source", price.source);
  w.EndObject();
}

void WritePool(JsonWriter& w, const PoolFacts& pool) {
  const PoolSpec& spec = pool.spec;
  w.BeginObject().Member("name", spec.name);
  w.Key("adapter").BeginObject().Member("type", spec.adapter.type);
  if (spec.modelled) w.Member("speedup", spec.adapter.speedup);
  w.EndObject();
  w.Member("modelled", spec.modelled).Member("state", NameOf(pool.state));
  w.Member("removed", pool.removed).Member("kind", NameOf(spec.kind));
  WriteNonEmpty(w, "vendor", spec.vendor);
  WriteNonEmpty(w, "device", spec.device);
  w.Member("billing", NameOf(spec.billing)).Key("price");
  WritePrice(w, pool.price, spec);
  WriteSite(w, spec.site);
  WriteShape(w, "node", spec.node.cpus, spec.node.memory, spec.node.devices);
  w.Member("device_memory", spec.device_memory.value());
  w.Member("nodes", spec.nodes).Member("nodes_up", pool.nodes_up);
  WriteShape(w, "total", pool.cpus_total, pool.memory_total, pool.devices_total);
  WriteShape(w, "free", pool.cpus_free, pool.memory_free, pool.devices_free);
  w.Member("running", pool.running).Member("awaited_by", pool.awaited_by);
  WritePower(w, spec.power);
  WriteOffer(w, spec);
  w.Member("tier", spec.tier).Member("placement", NameOf(spec.placement));
  WriteTexts(w, "limits", spec.limits);
  w.EndObject();
}

void WriteDevice(JsonWriter& w, const Device& device) {
  w.BeginObject().Member("name", device.name).Member("says", device.says);
  w.Member("kind", NameOf(device.kind)).Member("vendor", device.vendor).Key("arch");
  if (device.arch) {
    w.Value(NameOf(*device.arch));
  } else {
    w.Null();
  }
  w.Member("vcpus", device.vcpus).Member("memory", device.memory.value());
  w.Member("bandwidth_bytes_per_second", device.bandwidth.value());
  w.Key("peak_ops_per_second").BeginObject();
  for (const auto& [precision, peak] : device.peak) w.Member(NameOf(precision), peak.value());
  w.EndObject();
  w.Member("idle_watts", device.idle.value()).Member("busy_watts", device.busy.value());
  WriteTexts(w, "features", device.features);
  w.Key("prices").BeginArray();
  for (const ListPrice& price : device.prices) {
    w.BeginObject().Key("node_hour_usd");
    WriteApiMoney(w, Usd(price.node_hour.value()));
    w.Member("of", price.of).Member("as_of", price.as_of).Member("source", price.source);
    w.EndObject();
  }
  w.EndArray();
  WriteMap(w, "sources", device.sources);
  w.EndObject();
}

}  // namespace spillway
