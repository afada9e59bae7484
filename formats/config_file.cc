#include "formats/config_file.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/document.h"
#include "formats/file_text.h"
#include "formats/policy_text.h"
#include "formats/pool_text.h"
#include "formats/selector_text.h"
#include "formats/server_text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMostPools = 20'000;
constexpr std::size_t kMostAliases = 1000, kMostAliased = 16;

// Pools by name; the fleet outlives it.
class KnownPools {
 public:
  explicit KnownPools(const FleetSpec& fleet) {
    for (const PoolSpec& pool : fleet.pools) by_name_.emplace(pool.name, &pool);
  }
  const PoolSpec* Find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  // Notes names that the fleet does not have.
  void ReadName(const Place& at, std::string& out) const {
    spillway::ReadName(at, out);
    if (out.empty() || Find(out)) return;
    std::vector<std::string> known;
    for (const auto& [name, pool] : by_name_) known.emplace_back(name);
    const std::string nearest = NearestWord(out, known);
    at.Fail(absl::StrCat("the fleet has no pool `", out, "`",
                         nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
  }

 private:
  std::map<std::string_view, const PoolSpec*> by_name_;
};

// Names that stand twice are noted at the second.
template <class T>
void RefuseTwice(const Place& list, const std::vector<T>& entries, std::string_view what) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].name.empty()) continue;
    if (!seen.emplace(entries[i].name, i).second) {
      list.Item(i).Fail(absl::StrCat("a ", ToAbsl(what), " named `", entries[i].name,
                                     "` stands further up already"));
    }
  }
}

const Member* MemberOf(const Place& at, std::string_view key) {
  if (!at.value().is_map()) return nullptr;
  const Value::Map& map = at.value().map();
  const auto found =
      std::find_if(map.begin(), map.end(), [&](const Member& m) { return m.key == key; });
  return found == map.end() ? nullptr : &*found;
}

// An alias of something that nobody serves answers nothing; it may be served later.
void CheckAliases(const Place& fleet_at, const FleetSpec& fleet) {
  const Member* there = MemberOf(fleet_at, "aliases");
  if (there == nullptr) return;
  const Place aliases = fleet_at.Child(*there);
  std::set<std::string> served;
  bool discovers = false;  // engines that say themselves what they serve
  for (const PoolSpec& pool : fleet.pools) {
    for (const ServeSpec& serve : pool.serves) served.insert(serve.model);
    discovers |= !pool.adapter.urls.empty() && pool.serves.empty();
  }
  for (const auto& [alias, models] : fleet.aliases) {
    const Member* member = MemberOf(aliases, alias);
    if (member == nullptr) continue;
    const Place at = aliases.Child(*member);
    if (models.empty()) at.Fail(absl::StrCat("alias `", alias, "` stands for no model"));
    for (const std::string& model : models) {
      if (!discovers && !served.contains(model))
        at.Warn(absl::StrCat("alias `", alias, "`: no pool serves `", model, "`"));
    }
  }
}

void ReadFleet(const Place& at, const PoolSources& sources, FleetSpec& fleet) {
  ObjectReader r(at, "a fleet");
  ReadKind(r, "Fleet");
  const auto read_pool = [&](const Place& place, PoolSpec& pool) {
    ReadPool(place, sources, pool);
  };
  r.Required("pools", fleet.pools, [&](const Place& list, std::vector<PoolSpec>& pools) {
    Listed(read_pool, kMostPools)(list, pools);
    if (list.value().is_list() && list.value().list().empty()) list.Fail("a fleet needs a pool");
    RefuseTwice(list, pools, "pool");
    const auto processes = std::count_if(pools.begin(), pools.end(), [](const PoolSpec& pool) {
      return pool.adapter.type == "process";
    });
    if (processes > 1) list.Warn("several process pools share the one machine");
  });
  r.Optional("aliases", fleet.aliases, MapOf(OneOrMore(kDefaultRead, kMostAliased), kMostAliases));
  r.Finish();
  CheckAliases(at, fleet);
}

// A price as WritePrice shows it: money as the API writes it, null for what is not said.
void ReadShownPrice(ObjectReader& r, Price& out) {
  const auto or_null = [](auto read) {
    return [read](const Place& at, auto& value) {
      if (!at.value().is_null()) read(at, value);
    };
  };
  std::optional<Usd> node_hour, input, output;
  r.Optional("node_hour_usd", node_hour, or_null(kDefaultRead));
  r.Optional("input_usd_per_mtoken", input, or_null(kDefaultRead));
  r.Optional("output_usd_per_mtoken", output, or_null(kDefaultRead));
  r.Optional("as_of", out.as_of, or_null(ReadDay));
  r.Optional("source", out.source, or_null(kDefaultRead));
  if (node_hour) out.node_hour = UsdPerHour(node_hour->value());
  if (input) out.input = UsdPerMtoken(input->value());
  if (output) out.output = UsdPerMtoken(output->value());
}

void CheckRate(const Place& at, const ObjectReader& r, const Price& price, const PoolSpec* pool) {
  if (!r.is_map()) return;
  if (pool && pool->billing == Billing::kToken) {
    if (!price.input || !price.output || price.node_hour)
      at.Fail("a price of tokens needs the keys `input` and `output`, and no `node_hour`");
    return;
  }
  if (!r.Has("node_hour") && !price.node_hour) at.Fail("a price needs the key `node_hour`");
  if (price.input || price.output) at.Fail("prices of tokens are for billing `token`");
}

}  // namespace

namespace {

// A price as it stands in the list. Prices of a pool follow each other; one that says `until` ends
// there, and the price of the fleet holds again.
struct DatedPrice {
  PriceChange change;
  std::optional<absl::Time> until;
};

void SortByPool(const KnownPools& pools, std::vector<PriceChange>& changes) {
  std::stable_sort(changes.begin(), changes.end(), [&](const PriceChange& a, const PriceChange& b) {
    const PoolSpec *pool_a = pools.Find(a.pool), *pool_b = pools.Find(b.pool);
    return std::pair(pool_a, a.from) < std::pair(pool_b, b.from);
  });
}

// Notes prices of one pool that are in force at the same time. What ends before the next begins is
// followed by the pool's own price.
void LineUp(const Place& list, const KnownPools& pools, const std::vector<DatedPrice>& dated,
            std::vector<PriceChange>& out) {
  std::map<std::string, std::map<absl::Time, std::size_t>> by_pool;
  for (std::size_t i = 0; i < dated.size(); ++i) {
    const PriceChange& change = dated[i].change;
    if (change.pool.empty()) continue;
    if (!by_pool[change.pool].emplace(change.from, i).second)
      list.Item(i).Fail("this pool has another price from the same time");
  }
  for (const auto& [pool, in_time] : by_pool) {
    for (auto it = in_time.begin(); it != in_time.end(); ++it) {
      const DatedPrice& price = dated[it->second];
      out.push_back(price.change);
      if (!price.until) continue;
      const auto next = std::next(it);
      if (next != in_time.end() && *price.until > next->first) {
        list.Item(next->second)
            .Fail(absl::StrCat("the price of pool `", pool, "` from ", Format(it->first),
                               " holds until ", Format(*price.until), ": they overlap"));
      } else if (next == in_time.end() || *price.until < next->first) {
        if (const PoolSpec* spec = pools.Find(pool))
          out.push_back({pool, *price.until, spec->price});
      }
    }
  }
}

}  // namespace

void ReadPrices(const Place& at, const FleetSpec& fleet, PricesSpec& prices) {
  const KnownPools pools(fleet);
  ObjectReader r(at, "a price list");
  ReadKind(r, "Prices");
  const auto read_change = [&](const Place& place, DatedPrice& dated) {
    PriceChange& change = dated.change;
    ObjectReader entry(place, "a price");
    entry.Required("pool", change.pool,
                   [&](const Place& p, std::string& out) { pools.ReadName(p, out); });
    entry.Required("from", change.from);
    entry.Optional("until", dated.until);
    ReadPriceKeys(entry, change.price);
    entry.Finish();
    if (dated.until && *dated.until <= change.from) place.Fail("`until` is not after `from`");
    const PoolSpec* pool = pools.Find(change.pool);
    CheckRate(place, entry, change.price, pool);
    if (pool) change.price = SpedUp(change.price, pool->adapter.speedup);
    if (pool && pool->billing == Billing::kUnpriced) {
      place.Fail(absl::StrCat("pool `", pool->name, "` is unpriced: state its `billing` first"));
    }
  };
  r.Required("prices", prices.prices, [&](const Place& list, std::vector<PriceChange>& changes) {
    std::vector<DatedPrice> dated;
    Listed(read_change, kMostPools)(list, dated);
    LineUp(list, pools, dated, changes);
  });
  r.Finish();
  SortByPool(pools, prices.prices);
}

namespace {

void ReadReservation(const Place& at, const KnownPools& pools, Reservation& reservation) {
  ObjectReader r(at, "a reservation");
  r.Required("pool", reservation.pool,
             [&](const Place& p, std::string& out) { pools.ReadName(p, out); });
  r.Required("nodes", reservation.nodes, Between(1, 100'000));
  r.Finish();
}
void CheckReservations(const Place& list, const KnownPools& pools,
                       const std::vector<TenantSpec>& tenants) {
  std::map<std::string, std::int64_t> reserved;
  for (const TenantSpec& tenant : tenants) {
    for (const Reservation& r : tenant.reserved) reserved[r.pool] += r.nodes;
  }
  for (const auto& [name, nodes] : reserved) {
    const PoolSpec* pool = pools.Find(name);
    if (!pool || nodes <= pool->nodes) continue;
    list.Fail(absl::StrCat("tenants reserve ", nodes, " nodes of pool `", name, "`, which has ",
                           pool->nodes));
  }
}
void ReadOptionalSpan(const Place& at, std::optional<absl::Duration>& out) {
  absl::Duration span;
  ReadSpan(at, span);
  if (span > absl::ZeroDuration()) out = span;
}

void ReadQuota(const Place& at, Quota& quota) {
  ObjectReader r(at, "`quota`");
  std::int64_t requests = 0;
  if (r.Optional("requests_per_minute", requests, Between(1, 1'000'000'000)))
    quota.requests_per_minute = requests;
  int concurrency = 0;
  if (r.Optional("concurrency", concurrency, Between(1, 1'000'000)))
    quota.concurrency = concurrency;
  r.Optional("usd_per_day", quota.usd_per_day);
  r.Finish();
}

void ReadBudget(const Place& at, const FleetSpec& fleet, Budget& budget) {
  ObjectReader r(at, "`budget`");
  r.Optional("usd_per_day", budget.per_day);
  r.Optional("usd_per_month", budget.per_month);
  r.Optional("when_spent", budget.when_spent);
  if (const Member* to = r.Take("demote_to"))
    ReadPoolSelector(at.Child(*to), budget.demote_to.emplace());
  r.Finish();
  if (!r.is_map()) return;
  if (!budget.per_day && !budget.per_month)
    at.Fail("a budget needs `usd_per_day` or `usd_per_month`");
  const bool demotes = budget.when_spent == WhenSpent::kDemote;
  if (demotes && !budget.demote_to)
    at.Fail("`when_spent: demote` needs `demote_to`: the pools that may be used then");
  if (!demotes && budget.demote_to) at.Fail("`demote_to` is for `when_spent: demote`");
  const auto matches = [&](const PoolSpec& pool) { return budget.demote_to->Matches(pool); };
  if (demotes && budget.demote_to && std::none_of(fleet.pools.begin(), fleet.pools.end(), matches))
    at.Fail("no pool of the fleet matches `demote_to`");
}

// A budget of the day is said in one place.
void CheckBudget(const Place& at, const TenantSpec& tenant) {
  if (tenant.quota.usd_per_day && (tenant.budget.per_day || tenant.budget.per_month))
    at.Fail("`quota.usd_per_day` is a budget in short: say it within `budget`");
}

void ReadTenants(const Place& at, const FleetSpec& fleet, TenantsSpec& tenants) {
  const KnownPools pools(fleet);
  ObjectReader r(at, "a list of tenants");
  ReadKind(r, "Tenants");
  const auto read_reservation = [&](const Place& place, Reservation& reservation) {
    ReadReservation(place, pools, reservation);
  };
  const auto read_tenant = [&](const Place& place, TenantSpec& tenant) {
    ObjectReader entry(place, "a tenant");
    entry.Required("name", tenant.name, ReadName);
    entry.Optional("weight", tenant.weight,
                   [](const Place& p, double& out) { ReadPositive(p, out); });
    entry.Optional("reserved", tenant.reserved, Listed(read_reservation));
    entry.Optional("quota", tenant.quota, ReadQuota);
    entry.Optional("ttft", tenant.ttft, ReadOptionalSpan);
    entry.Optional("tpot", tenant.tpot, ReadOptionalSpan);
    entry.Optional("budget", tenant.budget, [&](const Place& place_of, Budget& budget) {
      ReadBudget(place_of, fleet, budget);
    });
    entry.Finish();
    CheckBudget(place, tenant);
  };
  r.Required("tenants", tenants.tenants, [&](const Place& list, std::vector<TenantSpec>& out) {
    Listed(read_tenant)(list, out);
    RefuseTwice(list, out, "tenant");
    CheckReservations(list, pools, out);
  });
  r.Finish();
}

constexpr std::string_view kKinds[] = {"Server", "Fleet", "Policy", "Prices", "Tenants", "Carbon"};

// Which document is which. Notes documents without a kind, of an unknown one, or of one twice.
std::map<std::string, const Value*> SortByKind(const std::vector<Value>& documents,
                                               Reading& reading) {
  const std::vector<std::string> known(std::begin(kKinds), std::end(kKinds));
  std::map<std::string, const Value*> sorted;
  for (const Value& document : documents) {
    const Place at(document, reading);
    if (!document.is_map()) {
      FailKind(at, "a map with the key `kind`");
      continue;
    }
    const auto kind = std::find_if(document.map().begin(), document.map().end(),
                                   [](const Member& member) { return member.key == "kind"; });
    if (kind == document.map().end()) {
      at.Fail(absl::StrCat("a document needs the key `kind`: one of ", absl::StrJoin(known, ", ")));
      continue;
    }
    const Place kind_at = at.Child(*kind);
    const std::string name = TextOf(kind_at);
    if (name.empty()) continue;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      FailWord(kind_at, name, known);
    } else if (!sorted.emplace(name, &document).second) {
      kind_at.Fail(absl::StrCat("a document of kind ", name, " stands further up already"));
    }
  }
  return sorted;
}

template <class T, class F>
absl::StatusOr<T> ParseOne(std::string_view text, std::string_view name, F read) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, name));
  Reading reading{std::string(name)};
  T out;
  read(Place(document, reading), out);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return out;
}

}  // namespace

void ReadConfig(const std::vector<Value>& documents, const PoolSources& sources, Reading& reading,
                LoadedConfig& out) {
  const auto by_kind = SortByKind(documents, reading);
  const auto with = [&](const char* kind, auto read) {
    const auto found = by_kind.find(kind);
    if (found != by_kind.end()) read(Place(*found->second, reading));
  };
  Config& config = out.config;
  if (reading.ok() && !by_kind.contains("Fleet")) {
    Place(documents.front(), reading).Fail("there is no document of kind Fleet");
  }
  with("Server", [&](const Place& at) { ReadServer(at, out.server); });
  with("Fleet", [&](const Place& at) { ReadFleet(at, sources, config.fleet); });
  config.policy = DefaultPolicy();
  with("Policy", [&](const Place& at) {
    ReadPolicy(at, config.policy = PolicySpec());
    out.policy = at.value();
  });
  // What names pools is only checked against a fleet that could be read.
  if (!reading.ok()) return;
  with("Prices", [&](const Place& at) { ReadPrices(at, config.fleet, config.prices); });
  with("Carbon", [&](const Place& at) { ReadCarbonSources(at, config.fleet, out.carbon); });
  with("Tenants", [&](const Place& at) { ReadTenants(at, config.fleet, config.tenants); });
}

absl::StatusOr<LoadedConfig> ParseConfig(std::string_view text, std::string_view name,
                                         const Catalog& catalog, const Machine& machine) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::vector<Value> documents, ParseYamlDocuments(text, name));
  Reading reading{std::string(name)};
  LoadedConfig loaded;
  ReadConfig(documents, {catalog, machine}, reading, loaded);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  loaded.config.catalog = catalog;
  loaded.warnings = reading.warnings().findings();
  return loaded;
}

absl::StatusOr<LoadedConfig> LoadConfig(const std::string& path, const Catalog& catalog,
                                        const Machine& machine) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  return ParseConfig(text, path, catalog, machine);
}

absl::StatusOr<PricesSpec> ParsePrices(std::string_view text, const FleetSpec& fleet,
                                       std::string_view name) {
  return ParseOne<PricesSpec>(
      text, name, [&](const Place& at, PricesSpec& out) { ReadPrices(at, fleet, out); });
}

absl::StatusOr<Price> ParsePrice(std::string_view text, const PoolSpec& pool,
                                 std::string_view name) {
  return ParseOne<Price>(text, name, [&](const Place& at, Price& out) {
    ObjectReader r(at, "a price");
    if (r.Has("node_hour_usd")) {
      ReadShownPrice(r, out);
    } else {
      ReadPriceKeys(r, out);
    }
    r.Finish();
    CheckRate(at, r, out, &pool);
    out = SpedUp(out, pool.adapter.speedup);
  });
}

absl::StatusOr<TenantsSpec> ParseTenants(std::string_view text, const FleetSpec& fleet,
                                         std::string_view name) {
  return ParseOne<TenantsSpec>(
      text, name, [&](const Place& at, TenantsSpec& out) { ReadTenants(at, fleet, out); });
}

}  // namespace spillway
