#include "formats/pool_text.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/did_you_mean.h"
#include "formats/document.h"
#include "formats/pool_defaults.h"
#include "formats/server_text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr int kMostNodes = 100'000, kMostDevices = 64;
constexpr std::size_t kMostWords = 100, kMostUrls = 1000;

void ReadReserve(const Place& at, AdapterSpec& adapter) {
  ObjectReader r(at, "`reserve`");
  r.Optional("cpus", adapter.reserve_cpus);
  r.Optional("memory", adapter.reserve_memory);
  r.Finish();
}

void ReadAdapterType(const Place& at, std::string& type) {
  const std::vector<std::string> known = {"process", "modelled", "openai"};
  const std::string word = TextOf(at);
  if (word.empty()) return;
  if (std::find(known.begin(), known.end(), word) == known.end()) {
    return at.Fail(absl::StrCat("adapter type `", word,
                                "` is not supported by this version: one of ",
                                absl::StrJoin(known, ", ")));
  }
  type = word;
}

void ReadUrl(const Place& at, std::string& url) {
  const std::string text = TextOf(at);
  if (text.empty()) return;
  const bool is_http = text.starts_with("http://") || text.starts_with("https://");
  if (!is_http || text.find_first_of(" ?#@") != text.npos)
    return at.Fail(absl::StrCat("`", text,
                                "` is no base URL: write one like `http://10.0.0.7:8000/v1`, "
                                "without a name, a password or a query"));
  // A port that is none would only show when somebody connects.
  const std::string_view rest = std::string_view(text).substr(text.find("://") + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t bracket = authority.rfind(']');
  const bool has_port = authority.rfind(':') != authority.npos &&
                        (bracket == authority.npos || authority.rfind(':') > bracket);
  const std::string address = absl::StrCat(ToAbsl(authority), has_port ? "" : ":80");
  if (!IsHostAndPort(address) || address.ends_with(":0"))
    return at.Fail(absl::StrCat("`", text, "` names no host and port to connect to"));
  url = text;
}

void ReadUrls(const Place& list, std::vector<std::string>& urls) {
  Listed(ReadUrl, kMostUrls)(list, urls);
  if (list.value().is_list() && list.value().list().empty())
    return list.Fail("names no engine: write its base URL");
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (!urls[i].empty() && std::find(urls.begin(), urls.begin() + static_cast<std::ptrdiff_t>(i),
                                      urls[i]) != urls.begin() + static_cast<std::ptrdiff_t>(i))
      list.Item(i).Fail(absl::StrCat("the URL `", urls[i], "` stands further up already"));
  }
}

void ReadEngineKind(const Place& at, std::string& engine) {
  static const std::vector<std::string> kKnown = {"vllm",   "sglang", "llama.cpp",
                                                  "tgi",    "trtllm", "triton-trtllm",
                                                  "ollama", "openai", "spillway"};
  const std::string word = TextOf(at);
  if (word.empty()) return;
  if (std::find(kKnown.begin(), kKnown.end(), word) == kKnown.end())
    return FailWord(at, word, kKnown);
  engine = word;
}

void ReadTimeout(const Place& at, std::optional<absl::Duration>& out) {
  absl::Duration span;
  ReadSpan(at, span);
  if (span <= absl::ZeroDuration()) return;
  if (span < absl::Milliseconds(10) || span > absl::Hours(1))
    return at.Fail("is out of range: 10ms to 1h");
  out = span;
}

void ReadTimeouts(const Place& at, EngineTimeouts& timeouts) {
  ObjectReader r(at, "`timeouts`");
  r.Optional("connect", timeouts.connect, ReadTimeout);
  r.Optional("first_byte", timeouts.first_byte, ReadTimeout);
  r.Optional("whole", timeouts.whole, ReadTimeout);
  r.Optional("idle", timeouts.idle, ReadTimeout);
  r.Finish();
}

void ReadOpenAi(ObjectReader& r, AdapterSpec& adapter) {
  const bool one = r.Has("url"), many = r.Has("urls");  // whatever is wrong with them
  r.Optional("url", adapter.urls, [](const Place& at, auto& urls) {
    std::string url;
    ReadUrl(at, url);
    if (!url.empty()) urls = {url};
  });
  r.Optional("urls", adapter.urls, ReadUrls);
  if (one == many) {
    r.at().Fail(one ? "has both `url` and `urls`: say one of them"
                    : "an `openai` adapter needs the key `url` or `urls`");
  }
  adapter.engine = "openai";
  r.Optional("engine", adapter.engine, ReadEngineKind);
  r.Optional("key_file", adapter.key_file);
  r.Optional("key_env", adapter.key_env);
  if (!adapter.key_file.empty() && !adapter.key_env.empty())
    r.at().Fail("has both `key_file` and `key_env`: say one of them");
  r.Optional("concurrency", adapter.concurrency, Between(1, 100'000));
  r.Optional("timeouts", adapter.timeouts, ReadTimeouts);
}

void ReadAdapter(const Place& at, AdapterSpec& adapter) {
  ObjectReader r(at, "`adapter`");
  r.Required("type", adapter.type, ReadAdapterType);
  const bool is_modelled = adapter.type == "modelled", is_process = adapter.type == "process";
  const bool is_openai = adapter.type == "openai";
  if (is_process) {
    r.Optional("reserve", adapter, ReadReserve);
    r.Refuse("speedup", "only modelled pools have a speed-up: real commands run as they run");
    r.Refuse("max_commands", "only modelled pools have `max_commands`");
  } else if (is_modelled) {
    r.Optional("speedup", adapter.speedup, ReadPositive);
    r.Optional("max_commands", adapter.max_commands, Between(1, 1000));
    r.Optional("concurrency", adapter.concurrency, Between(1, 100'000));
    r.Optional("timeouts", adapter.timeouts, ReadTimeouts);
    r.Refuse("reserve", "only process pools have a reserve");
  } else if (is_openai) {
    ReadOpenAi(r, adapter);
  }
  // What other adapters take is not known here: one finding, of the type, is enough.
  if (is_modelled || is_process || is_openai) r.Finish();
}

void ReadNode(const Place& at, NodeShape& node) {
  ObjectReader r(at, "`node`");
  r.Optional("cpus", node.cpus);
  r.Optional("memory", node.memory);
  r.Optional("devices", node.devices, Between(0, kMostDevices));
  r.Finish();
}

void ReadPower(const Place& at, Power& power) {
  ObjectReader r(at, "`power`");
  r.Optional("idle", power.idle);
  r.Optional("busy", power.busy);
  r.Optional("pue", power.pue);
  r.Optional("tariff", power.tariff);
  GramsCo2e made{};
  absl::Duration life{};
  const bool has_made = r.Optional("embodied", made), has_life = r.Optional("life", life);
  r.Finish();
  if (power.pue < 1 || power.pue > 10) at.Fail("`pue` is out of range: 1 to 10");
  if (has_made != has_life) at.Fail("`embodied` and `life` belong together");
  if (has_life && life <= absl::ZeroDuration()) at.Fail("`life` is not more than zero");
  if (has_made && life > absl::ZeroDuration())
    power.embodied = Scale(made, absl::FDivDuration(absl::Hours(1), life));
}

void ReadSite(const Place& at, Site& site) {
  ObjectReader r(at, "`site`");
  r.Required("name", site.name, ReadName);
  r.Optional("kind", site.kind);
  r.Optional("round_trip", site.round_trip);
  r.Optional("bandwidth", site.bandwidth);
  r.Optional("egress", site.egress);
  r.Optional("carbon", site.carbon);
  r.Finish();
}

void ReadWeights(const Place& at, ShareWeights& weights) {
  ObjectReader r(at, "`weights`");
  r.Optional("cpus", weights.cpus);
  r.Optional("memory", weights.memory);
  r.Optional("devices", weights.devices);
  r.Finish();
  if (std::abs(weights.cpus + weights.memory + weights.devices - 1) > 1e-9) {
    at.Fail("the weights must add up to 1");
  }
}

void ReadPrice(const Place& at, Price& price) {
  ObjectReader r(at, "`price`");
  ReadPriceKeys(r, price);
  r.Finish();
}

// Of a server of batches, or what only engines of tokens have.
void ReadServer(ObjectReader& r, ServeSpec& serve) {
  const bool batches = r.Optional("class", serve.work_class, ReadName);
  int count = 0;
  if (batches) {
    if (!r.Optional("model", serve.model)) serve.model = serve.work_class;
    for (const char* key : {"precision", "max_sequences", "kv_blocks"})
      r.Refuse(key, "belongs to an engine of tokens; `class` makes it a server of batches");
    if (r.Optional("max_items", count, Between(1, 100'000))) serve.max_items = count;
    if (r.Optional("instances", count, Between(1, 100'000))) serve.instances = count;
    absl::Duration delay{};
    if (r.Optional("max_delay", delay)) serve.max_delay = delay;
    return;
  }
  r.Required("model", serve.model);
  for (const char* key : {"max_items", "instances", "max_delay"})
    r.Refuse(key, "belongs to a server of batches: say its `class`");
  r.Optional("precision", serve.precision);
  if (r.Optional("max_sequences", count, Between(1, 100'000))) serve.max_sequences = count;
  std::int64_t blocks = 0;
  if (r.Optional("kv_blocks", blocks, Between(1, 1'000'000'000))) serve.kv_blocks = blocks;
}

void ReadServe(const Place& at, ServeSpec& serve) {
  ObjectReader r(at, "an entry of `serves`");
  ReadServer(r, serve);
  r.Optional("upstream", serve.upstream);
  r.Optional("replicas", serve.replicas, Between(1, kMostNodes));
  r.Optional("nodes", serve.nodes, Between(1, kMostNodes));
  r.Optional("devices", serve.devices, Between(1, kMostDevices));
  r.Optional("cpus", serve.cpus);
  r.Finish();
}

void ReadServes(const Place& at, std::vector<ServeSpec>& serves) {
  Listed(ReadServe, kMostWords)(at, serves);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < serves.size(); ++i) {
    if (!serves[i].model.empty() && !seen.insert(serves[i].model).second)
      at.Item(i).Fail(absl::StrCat("the model `", serves[i].model, "` stands further up already"));
  }
}

void ReadKeys(ObjectReader& r, PoolSpec& pool, PoolText& text) {
  r.Required("name", pool.name, ReadName);
  r.Required("adapter", pool.adapter, ReadAdapter);
  r.Optional("device", pool.device, ReadName);
  text.has_kind = r.Optional("kind", pool.kind);
  r.Optional("vendor", pool.vendor, ReadName);
  r.Optional("node", pool.node, ReadNode);
  r.Optional("nodes", pool.nodes, Between(1, kMostNodes));
  text.has_arch = r.Optional("arch", pool.arch);
  text.has_runtimes = r.Optional("runtimes", pool.runtimes, MapOf(kDefaultRead, kMostWords));
  text.has_precisions = r.Optional("precisions", pool.precisions, Listed(kDefaultRead, kMostWords));
  r.Optional("features", pool.features, Listed(ReadName, kMostWords));
  r.Optional("confidential", pool.confidential, OneOrMore(ReadName, kMostWords));
  r.Optional("device_memory", pool.device_memory);
  if (const Member* models = r.Take("models")) {
    Listed(kDefaultRead)(r.at().Child(*models), pool.models.emplace());
  }
  if (const Member* classes = r.Take("classes")) {
    Listed(ReadName)(r.at().Child(*classes), pool.classes.emplace());
  }
  r.Optional("tenants", pool.tenants, Listed(ReadName));
  text.has_billing = r.Optional("billing", pool.billing);
  r.Optional("price", pool.price, ReadPrice);
  text.has_weights = r.Optional("weights", pool.weights, ReadWeights);
  text.power = r.Take("power");
  r.Optional("site", pool.site, ReadSite);
  r.Optional("labels", pool.labels, ReadLabels);
  r.Optional("tier", pool.tier, Between(-1000, 1000));
  r.Optional("placement", pool.placement);
  r.Optional("serves", pool.serves, ReadServes);
}

void CheckMoney(const Place& at, const PoolSpec& pool, const PoolText& text) {
  const bool has_token_price = pool.price.input || pool.price.output;
  if (!text.has_billing && (pool.price.node_hour || has_token_price)) {
    at.Fail(
        "a pool with a price needs the key `billing`: metered (bought while used) or "
        "committed (paid for in any case)");
    return;
  }
  switch (pool.billing) {
    case Billing::kMetered:
    case Billing::kCommitted:
      if (!pool.price.node_hour) {
        at.Fail(absl::StrCat("billing `", ToAbsl(NameOf(pool.billing)),
                             "` needs `price: {node_hour: ...}`"));
      }
      if (has_token_price) at.Fail("prices of tokens are for billing `token`");
      return;
    case Billing::kToken:
      if (pool.adapter.type != "openai") {
        at.Fail("billing `token` is for engines of others: `adapter: {type: openai, url: ...}`");
      } else if (!pool.price.input || !pool.price.output || pool.price.node_hour) {
        at.Fail("billing `token` needs `price: {input: ..., output: ...}`, and no `node_hour`");
      }
      return;
    case Billing::kUnpriced:
      if (pool.price.node_hour || has_token_price) at.Fail("an unpriced pool has no `price`");
      return;
  }
}

// How much of the nodes the engines hold; nodes that one replica spans count whole.
double NodesServing(const PoolSpec& pool) {
  double nodes = 0;
  for (const ServeSpec& serve : pool.serves) {
    double part = 1;
    if (serve.devices > 0 && pool.node.devices > 0)
      part = static_cast<double>(serve.devices) / pool.node.devices;
    if (pool.node.devices == 0 && serve.cpus > MilliCpus(0))
      part = static_cast<double>(serve.cpus.value()) / static_cast<double>(pool.node.cpus.value());
    nodes += part * serve.nodes * serve.replicas;
  }
  return nodes;
}

// A server of batches is as fast as its class on the pool's device: without a rate nobody knows.
void CheckClass(const Place& at, const PoolSpec& pool, const ServeSpec& serve,
                const Catalog& catalog) {
  if (serve.work_class.empty()) return;
  const auto known = catalog.classes.find(serve.work_class);
  if (known == catalog.classes.end())
    return at.Fail(absl::StrCat("`", serve.work_class, "` is no class of the catalogue",
                                DidYouMeanName(serve.work_class, KeysOf(catalog.classes))));
  if (pool.adapter.type != "modelled")
    return at.Fail("servers of batches can only be modelled: `adapter: {type: modelled}`");
  if (!known->second.rates.contains(pool.device))
    at.Fail(absl::StrCat("the catalogue has no rate of `", serve.work_class, "` for the device `",
                         pool.device, "`"));
}

// Of a map that has this key.
Place ChildOf(const Place& at, std::string_view key) {
  const Value::Map& map = at.value().map();
  return at.Child(
      *std::find_if(map.begin(), map.end(), [&](const Member& m) { return m.key == key; }));
}

// What engines of others serve is theirs to know; ours need its figures.
void CheckModels(const Place& at, const PoolSpec& pool, const Catalog& catalog) {
  if (pool.adapter.type != "modelled") return;
  for (std::size_t i = 0; i < pool.serves.size(); ++i) {
    const ServeSpec& serve = pool.serves[i];
    if (!serve.work_class.empty() || catalog.models.contains(serve.model)) continue;
    const Place serves = ChildOf(at, "serves"), entry = serves.Item(i);  // each holds the one above
    ChildOf(entry, "model")
        .Fail(absl::StrCat("the catalogue has no model `", serve.model, "`",
                           DidYouMeanName(serve.model, KeysOf(catalog.models))));
  }
}

void CheckServes(const Place& at, const PoolSpec& pool, const Catalog& catalog) {
  if (pool.serves.empty()) return;
  for (const ServeSpec& serve : pool.serves) CheckClass(at, pool, serve, catalog);
  if (pool.adapter.type == "process")
    at.Fail(
        "a process pool starts no engines: run one, and name its URL in a pool of adapter openai");
  for (const ServeSpec& serve : pool.serves) {
    if (serve.devices > pool.node.devices)
      at.Fail(absl::StrCat("a replica of `", serve.model, "` holds ", serve.devices,
                           " devices, and a node has ", pool.node.devices));
  }
  if (pool.adapter.type == "modelled" && NodesServing(pool) > pool.nodes + 1e-9)
    at.Fail(absl::StrCat("the replicas of `serves` hold more than the ", pool.nodes,
                         " nodes of the pool"));
}

void CheckShape(const Place& at, const PoolSpec& pool) {
  if (pool.adapter.type == "openai") return;  // what its nodes are like is not ours to know
  if (pool.node.cpus <= MilliCpus(0)) at.Fail("a node has no CPUs: say `node: {cpus: ...}`");
  if (pool.node.memory <= Bytes(0)) at.Fail("a node has no memory: say `node: {memory: ...}`");
  if (pool.kind == DeviceKind::kCpu && pool.node.devices > 0) {
    at.Fail("a CPU is never counted in `node.devices`: leave it out");
  }
  if (pool.kind != DeviceKind::kCpu && pool.node.devices == 0) {
    at.Fail(absl::StrCat("a pool of kind `", ToAbsl(NameOf(pool.kind)),
                         "` needs `node: {devices: ...}`, at least 1"));
  }
  if (pool.weights.devices > 0 && pool.node.devices == 0) {
    at.Fail("`weights` give devices a share, but a node has none");
  }
  if (pool.power.busy < pool.power.idle) at.Fail("`power.busy` is less than `power.idle`");
  if (pool.adapter.type == "process" && pool.nodes != 1) {
    at.Fail("a process pool is this machine: `nodes` is 1");
  }
}

}  // namespace

namespace {

// Hardware of one's own, a node: capital / life + energy x PUE + operation, an hour.
struct OwnNode {
  UsdPerHour capital{};  // of the whole life: the same text as a price
  absl::Duration life{};
  UsdPerHour operation{};
  Watts draw{};
  double pue = 1;
  UsdPerKwh tariff{};
};

void ReadEnergy(const Place& at, OwnNode& own) {
  ObjectReader r(at, "`energy`");
  r.Required("draw", own.draw);
  r.Optional("pue", own.pue);
  r.Required("tariff", own.tariff);
  r.Finish();
  if (own.pue < 1 || own.pue > 10) at.Fail("`pue` is out of range: 1 to 10");
}

UsdPerHour HourlyOf(const OwnNode& own) {
  constexpr std::int64_t kHour = 3'600'000'000'000;
  const std::int64_t capital =
      units_internal::RoundedQuotient(absl::int128(own.capital.value()) * kHour, ToNanos(own.life));
  const Usd energy = own.tariff * (Scale(own.draw, own.pue) * absl::Hours(1));
  return UsdPerHour(capital + energy.value()) + own.operation;
}

void ReadOwn(const Place& at, Price& out) {
  ObjectReader r(at, "`own`");
  OwnNode own;
  r.Required("capital", own.capital);
  r.Required("life", own.life);
  r.Optional("operation", own.operation);
  const bool pays_energy = r.Optional("energy", own, ReadEnergy);
  r.Finish();
  if (!r.is_map() || own.life <= absl::ZeroDuration()) {
    if (r.is_map() && r.Has("life")) at.Fail("`life` is not more than zero");
    return;
  }
  out.node_hour = HourlyOf(own);
  if (!out.source.empty()) return;
  out.source = absl::StrCat("own: ", Format(own.capital), " over ", Format(own.life));
  if (own.operation > UsdPerHour(0))
    absl::StrAppend(&out.source, " + ", Format(own.operation), "/h");
  if (pays_energy)
    absl::StrAppend(&out.source, " + ", Format(own.draw), " x ", own.pue, " x ",
                    Format(own.tariff));
}

}  // namespace

void ReadPriceKeys(ObjectReader& r, Price& out) {
  r.Optional("node_hour", out.node_hour);
  r.Optional("input", out.input);
  r.Optional("output", out.output);
  r.Optional("as_of", out.as_of, ReadDay);
  r.Optional("source", out.source);
  if (out.node_hour)
    r.Refuse("own", "is what `node_hour` is computed from: say one of them");
  else
    r.Optional("own", out, ReadOwn);
}

Price SpedUp(Price price, double speedup) {
  if (price.node_hour) price.node_hour = Scale(*price.node_hour, speedup);
  return price;
}

Price AsWritten(Price price, double speedup) { return SpedUp(std::move(price), 1 / speedup); }

void ReadPool(const Place& at, const PoolSources& sources, PoolSpec& out) {
  const std::size_t before = at.reading().error().size();
  ObjectReader r(at, "a pool");
  PoolText text;
  ReadKeys(r, out, text);
  r.Finish();
  if (at.reading().error().size() != before) return;

  const Device* device = FindDevice(at, sources.catalog, out);
  CheckModels(at, out, sources.catalog);
  if (at.reading().error().size() != before) return;
  FillIn(at, device, sources.machine, text, out);
  if (text.power) ReadPower(at.Child(*text.power), out.power);
  CheckMoney(at, out, text);
  CheckShape(at, out);
  CheckServes(at, out, sources.catalog);
  if (out.adapter.type == "openai") {
    out.placement = PlacedBy::kTheirs;
  } else if (out.runtimes.empty()) {
    at.Warn(absl::StrCat("pool `", out.name,
                         "` names no `runtimes`: no work can run there; for "
                         "plain programs say `runtimes: {none: \"1\"}`"));
  }
  if (out.modelled) {
    out.price = SpedUp(out.price, out.adapter.speedup);
    out.power.idle = Scale(out.power.idle, out.adapter.speedup);
    out.power.busy = Scale(out.power.busy, out.adapter.speedup);
    if (out.power.embodied) *out.power.embodied = Scale(*out.power.embodied, out.adapter.speedup);
    out.speed = out.adapter.speedup;
  }
}

absl::StatusOr<PoolSpec> ParsePool(std::string_view text, const PoolSources& sources,
                                   std::string_view name) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, name));
  Reading reading{std::string(name)};
  PoolSpec pool;
  ReadPool(Place(document, reading), sources, pool);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return pool;
}

}  // namespace spillway
