#include "scheduler/survey.h"

#include <algorithm>

#include "policies/ability.h"
#include "scheduler/amounts.h"
#include "scheduler/books.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {
namespace {

void FillEstimate(ShapeOnPool& on_pool, const Work& work, const WorkFace& face, const PoolRun& pool,
                  const Estimator& estimator, bool by_name) {
  const Estimator::Length length = estimator.LengthOf(work, face, pool.id(), by_name);
  const Amounts amounts = AmountsOf(pool.spec(), pool.price, face.needs, length.duration.p50);
  on_pool.duration = length.duration;
  on_pool.basis = length.basis;
  on_pool.priced = IsPriced(pool.spec(), pool.price);
  on_pool.cost = amounts.cost;
  on_pool.marginal = amounts.marginal;
  on_pool.energy = amounts.energy;
  on_pool.carbon = amounts.carbon;
}

// Nodes that are bought while they are used, and stand for nothing else, are off until then.
void FillBoot(ShapeOnPool& on_pool, const Needs& needs, const PoolRun& pool) {
  const PoolSpec& spec = pool.spec();
  if (spec.boot <= absl::ZeroDuration() || IsAlwaysUp(spec) || !spec.serves.empty()) return;
  on_pool.boot = std::make_shared<const BootOnPool>(
      BootOnPool{.time = {spec.boot, Scale(spec.boot, SpreadOf(Basis::kDeclared))},
                 .amounts = AmountsOf(spec, pool.price, needs, spec.boot),
                 .takes_whole_nodes = on_pool.micro_nodes >= kMicroNode * on_pool.nodes});
}

ShapeOnPool SurveyPool(const Work& work, bool by_name, int rule, const PoolRun& pool,
                       const World& world) {
  ShapeOnPool on_pool;
  const WorkFace face = FaceFor(work, pool.spec());
  on_pool.alternative = face.alternative;
  const Ability ability = AbilityOf(work, face, pool.spec());
  on_pool.codes = ability.codes;
  on_pool.figures = ability.figures;
  const bool capable = ability.able() && !pool.removed;
  if (capable) FillEstimate(on_pool, work, face, pool, world.estimator, by_name);
  on_pool.slot = SlotOf(face.needs);
  on_pool.nodes = face.needs.nodes;
  on_pool.group = pool.GroupOf(work.tenant);
  on_pool.micro_nodes = MicroNodesOf(on_pool.slot, on_pool.nodes, pool.spec().node);
  if (capable) FillBoot(on_pool, face.needs, pool);
  if (pool.removed) on_pool.codes.Add(Code::kDown);
  const bool pinned_elsewhere = !work.pin.empty() && work.pin != pool.spec().name;
  if (pinned_elsewhere || !world.policy->Allows(rule, pool.spec())) on_pool.codes.Add(Code::kRule);
  if (pool.nodes().SizeIn(on_pool.group) < on_pool.nodes && pool.spec().nodes >= on_pool.nodes)
    on_pool.codes.Add(Code::kReserved);
  // What engines hold is never given back.
  if (ability.able() && !pool.FitsBesideEngines(on_pool.slot, on_pool.nodes, on_pool.group))
    on_pool.codes.Add(Code::kReserved);
  on_pool.able = on_pool.codes.empty();
  return on_pool;
}

bool CouldRun(const ShapeOnPool& on_pool) {
  return !CodeSet(on_pool.codes.bits() & ~(1u << static_cast<unsigned>(Code::kRule))).AnyCannot();
}

// A node that is just this device: for a baseline that names hardware nobody has.
PoolSpec AsPool(const Device& device, const Needs& needs) {
  PoolSpec pool;
  pool.name = device.name;
  pool.kind = device.kind;
  pool.vendor = device.vendor;
  pool.device = device.name;
  pool.device_memory = device.memory;
  pool.arch = device.arch.value_or(needs.arch.value_or(Arch::kX86_64));
  pool.node = {needs.cpus, needs.memory,
               device.kind == DeviceKind::kCpu ? 0 : std::max(needs.devices.count, 1)};
  if (device.kind == DeviceKind::kCpu)
    pool.node = {MilliCpus(1000) * device.vcpus, device.memory, 0};
  pool.nodes = needs.nodes;
  pool.runtimes.emplace(needs.runtime.name, needs.runtime.version);  // taken to be installed
  for (const auto& [precision, rate] : device.peak) pool.precisions.push_back(precision);
  pool.features = device.features;
  pool.billing = Billing::kMetered;
  if (!device.prices.empty())
    pool.price.node_hour = device.prices.front().node_hour * std::max(pool.node.devices, 1);
  pool.power = {.idle = device.idle, .busy = device.busy};
  return pool;
}

void SetBaseline(Shape& shape, PoolId pool, const WorkFace& face, const PoolSpec& spec,
                 const Price& price, absl::Duration p50) {
  const Amounts amounts = AmountsOf(spec, price, face.needs, p50);
  if (shape.baseline.cost && *shape.baseline.cost <= amounts.cost) return;
  shape.baseline = {.pool = pool, .cost = amounts.cost, .code = Code::kChosen, .duration = p50};
  shape.baseline_rate = RateOf(spec, price, face.needs);
}

std::uint64_t HashOf(const Shape& shape) {
  std::vector<std::int64_t> found;
  for (const Claim& claim : shape.order) {
    const ShapeOnPool& on_pool = shape.pools[Index(claim.pool)];
    found.insert(found.end(),
                 {Index(claim.pool), claim.tier, ToNanos(on_pool.duration.p50),
                  ToNanos(on_pool.duration.p90), on_pool.cost.value(), on_pool.marginal.value()});
    if (on_pool.boot)
      found.insert(found.end(),
                   {ToNanos(on_pool.boot->time.p50), on_pool.boot->amounts.cost.value()});
  }
  return XXH64(found.data(), found.size() * sizeof found[0], 0);
}

void SurveyBaseline(Shape& shape, const World& world) {
  const Work& work = *shape.sample;
  const std::string& wanted = world.policy->spec().baseline;
  shape.baseline = {.code = Code::kDevices};
  shape.baseline_rate = {};
  bool is_pool = false, seen = false;
  for (const auto& pool : world.pools) {
    if (pool->removed) continue;
    const bool named = pool->spec().name == wanted;
    is_pool |= named;
    if (!named && !(wanted == "cheapest-nvidia" && pool->spec().vendor == "nvidia")) continue;
    const ShapeOnPool& on_pool = shape.pools[Index(pool->id())];
    if (!CouldRun(on_pool)) {
      if (!seen) shape.baseline.code = on_pool.codes.First();
      seen = true;
      continue;
    }
    if (!on_pool.priced) {
      if (!shape.baseline.cost) shape.baseline.code = Code::kUnpriced;
      continue;
    }
    SetBaseline(shape, pool->id(), FaceOf(work, on_pool.alternative), pool->spec(), pool->price,
                on_pool.duration.p50);
  }
  if (is_pool || wanted == "cheapest-nvidia") return;
  const auto device = world.config->catalog.devices.find(wanted);
  if (device == world.config->catalog.devices.end() || device->second.prices.empty()) {
    shape.baseline.code = Code::kUnpriced;
    return;
  }
  PoolSpec spec = AsPool(device->second, work.needs);
  const WorkFace face = FaceFor(work, spec);
  spec = AsPool(device->second, face.needs);
  const Ability ability = AbilityOf(work, face, spec);
  if (!ability.able()) {
    shape.baseline.code = ability.codes.First();
    return;
  }
  SetBaseline(shape, kNoPool, face, spec, spec.price,
              world.estimator.LengthOn(work, face, spec, shape.named).duration.p50);
}

}  // namespace

bool IsFresh(const Shape& shape, const World& world) {
  return shape.config_version == world.version &&
         (!shape.named || shape.estimator_version == world.estimator.VersionOf(*shape.sample));
}

void Survey(Shape& shape, const World& world) {
  if (IsFresh(shape, world)) return;
  const Work& work = *shape.sample;
  shape.rule = world.policy->RuleFor(work);
  shape.pools.clear();
  shape.glances.assign(world.pools.size(), {});
  std::vector<Claimant> claimants;
  for (const auto& pool : world.pools) {
    shape.pools.push_back(SurveyPool(work, shape.named, shape.rule, *pool, world));
    const ShapeOnPool& on_pool = shape.pools.back();
    if (!on_pool.able) continue;
    claimants.push_back({pool->id(), &pool->spec(), on_pool.MarginalInOrder()});
  }
  world.policy->Arrange(work, shape.rule, claimants, /*draw=*/0, shape.order);
  shape.survey_hash = HashOf(shape);
  SurveyBaseline(shape, world);
  shape.config_version = world.version;
  shape.estimator_version = world.estimator.VersionOf(work);
}

bool CouldEver(const Shape& shape, const Work& work, const World& world) {
  return std::any_of(shape.order.begin(), shape.order.end(), [&](const Claim& claim) {
    const ShapeOnPool& on_pool = shape.pools[Index(claim.pool)];
    const Objective& objective = FaceOf(work, on_pool.alternative).objective;
    if (!on_pool.priced) return world.policy->spec().allow_unpriced && !objective.max_cost;
    return !objective.max_cost || on_pool.cost <= *objective.max_cost;
  });
}

}  // namespace spillway
