#include "performance/job_speed.h"

#include <utility>

#include "performance/fabric.h"

namespace spillway {
namespace {

// Whole nanoseconds, as every time that is compared.
absl::Duration SecondsOf(double seconds) { return RoundToNanos(absl::Seconds(seconds)); }

Basis BasisOf(bool measured) { return measured ? Basis::kProfile : Basis::kAssumed; }

// Devices held over all nodes, on CPU pools CPUs.
double HeldUnits(const Needs& needs, bool by_cpu) {
  const double on_each = by_cpu ? static_cast<double>(needs.cpus.value()) / 1000
                                : needs.devices.count * needs.devices.fraction;
  return on_each * needs.nodes;
}

SizedDemand Declared(const DeclaredSeconds& declared, const PoolSpeed* on) {
  SizedDemand out{.kind = SizedDemand::Kind::kSeconds,
                  .seconds = declared.seconds,
                  .on_pool_seconds = declared.seconds};
  if (on == nullptr) {
    out.on_device = declared.on;
    return out;
  }
  out.seconds = Scale(declared.seconds, on->speed);
  out.on_pool = on->pool;
  out.on_device = on->device;
  return out;
}

JobLength LengthOfSeconds(const SizedDemand& demand, const PoolSpeed& pool) {
  const bool here = demand.on_pool == pool.pool && !pool.pool.empty();
  if (here) return {demand.on_pool_seconds, Basis::kDeclared};
  const bool anywhere = demand.on_pool.empty() && demand.on_device.empty();
  const bool same_device = !demand.on_device.empty() && demand.on_device == pool.device;
  return {Scale(demand.seconds, 1 / pool.speed),
          anywhere || same_device ? Basis::kDeclared : Basis::kAssumed};
}

bool SameDevice(const PoolSpeed& a, const PoolSpeed& b) {
  return a.pool == b.pool || (!a.device.empty() && a.device == b.device);
}

}  // namespace

SpeedBook::SpeedBook(const Catalog& catalog) {
  for (const auto& [name, device] : catalog.devices) {
    DeviceRates& entry = devices_[name];
    entry.vcpus = device.kind == DeviceKind::kCpu ? device.vcpus : 0;
    entry.rates.resize(catalog.classes.size());
  }
  int number = 0;
  for (const auto& [name, work_class] : catalog.classes) {
    for (const auto& [device, rate] : work_class.rates) {
      const auto found = devices_.find(device);
      if (found == devices_.end()) continue;
      found->second.rates[number] = {rate.units_per_second, rate.measured};
    }
    classes_.emplace(name, number++);
  }
}

std::optional<int> SpeedBook::ClassNumber(std::string_view work_class) const {
  const auto found = classes_.find(work_class);
  return found == classes_.end() ? std::nullopt : std::optional(found->second);
}

PoolSpeed SpeedBook::SpeedOf(const PoolSpec& pool) const {
  PoolSpeed out{.pool = pool.name,
                .device = pool.device,
                .speed = pool.speed / ConfidentialFactor(pool, pool.kind)};
  out.by_cpu = pool.kind == DeviceKind::kCpu;
  const auto found = devices_.find(pool.device);
  if (found == devices_.end() || out.by_cpu != (found->second.vcpus > 0)) {
    out.rates.resize(classes_.size());
    return out;
  }
  out.rates = found->second.rates;
  const double parts = out.by_cpu ? found->second.vcpus : 1;
  for (Rate& rate : out.rates) rate.units_per_second *= out.speed / parts;
  return out;
}

SizedDemand Resolve(const Demand& demand, const SpeedBook& book,
                    absl::FunctionRef<const PoolSpeed*(std::string_view)> pool_named) {
  if (const auto* units = std::get_if<ClassUnits>(&demand)) {
    return {.kind = SizedDemand::Kind::kUnits,
            .work_class = book.ClassNumber(units->work_class).value_or(-1),
            .units = units->units};
  }
  if (const auto* declared = std::get_if<DeclaredSeconds>(&demand)) {
    return Declared(*declared, declared->on.empty() ? nullptr : pool_named(declared->on));
  }
  return {};
}

Quantiles WithSpread(const JobLength& length) {
  return {length.p50, Scale(length.p50, SpreadOf(length.basis))};
}

Rate RateOf(int work_class, const Needs& needs, const PoolSpeed& pool) {
  if (work_class < 0 || static_cast<std::size_t>(work_class) >= pool.rates.size()) return {};
  const Rate& one = pool.rates[work_class];
  return {one.units_per_second * HeldUnits(needs, pool.by_cpu), one.measured};
}

JobLength LengthOf(const SizedDemand& demand, const Needs& needs, const PoolSpeed& pool,
                   absl::Duration if_unknown) {
  if (demand.kind == SizedDemand::Kind::kSeconds) return LengthOfSeconds(demand, pool);
  if (demand.kind == SizedDemand::Kind::kUnits) {
    const Rate rate = RateOf(demand.work_class, needs, pool);
    if (rate.known()) {
      return {SecondsOf(demand.units / rate.units_per_second), BasisOf(rate.measured)};
    }
  }
  return {Scale(if_unknown, 1 / pool.speed), Basis::kAssumed};
}

JobLength Transfer(absl::Duration observed, Seat from, Seat to, std::optional<int> work_class) {
  const Rate there = work_class ? RateOf(*work_class, from.needs, from.pool) : Rate{};
  const Rate here = work_class ? RateOf(*work_class, to.needs, to.pool) : Rate{};
  const bool rated = there.known() && here.known();
  const double factor =
      rated ? there.units_per_second / here.units_per_second : from.pool.speed / to.pool.speed;
  const bool same = SameDevice(from.pool, to.pool);
  const Basis basis = same    ? Basis::kObserved
                      : rated ? BasisOf(there.measured && here.measured)
                              : Basis::kAssumed;
  return {factor == 1 ? observed : Scale(observed, factor), basis};
}

std::optional<double> SpeedRatio(const WorkClass& work_class, const std::string& from,
                                 const std::string& to) {
  const auto there = work_class.rates.find(from);
  const auto here = work_class.rates.find(to);
  if (there == work_class.rates.end() || here == work_class.rates.end()) return std::nullopt;
  return here->second.units_per_second / there->second.units_per_second;
}

}  // namespace spillway
