#include "scheduler/shape.h"

#include <cstring>
#include <type_traits>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {
namespace {

// Appends values to a byte string, each with its length where it has one, so that no two lists
// collide.
class KeyWriter {
 public:
  explicit KeyWriter(std::string& out) : out_(out) {}

  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void operator()(T value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void operator()(const std::string& text) {
    (*this)(text.size());
    out_.append(text);
  }
  template <class Tag, class Rep>
  void operator()(Quantity<Tag, Rep> q) {
    (*this)(q.value());
  }
  void operator()(absl::Duration d) { (*this)(ToNanos(d)); }
  template <class T>
  void operator()(const std::optional<T>& value) {
    (*this)(value.has_value());
    if (value) (*this)(*value);
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    (*this)(values.size());
    for (const T& v : values) (*this)(v);
  }
  template <class K, class V>
  void operator()(const std::map<K, V>& values) {
    (*this)(values.size());
    for (const auto& [k, v] : values) {
      (*this)(k);
      (*this)(v);
    }
  }
  void operator()(const PoolSelector& s) {
    All(s.name, s.kind, s.vendor, s.device, s.arch, s.billing, s.site, s.site_kind, s.features,
        s.confidential, s.runtime, s.tier, s.modelled, s.labels);
  }
  void operator()(const Needs& n) {
    All(n.cpus, n.memory, n.devices.count, n.devices.kind, n.devices.vendor, n.devices.model,
        n.devices.memory, n.devices.fraction, n.nodes, n.arch, n.runtime.ToString(), n.precision,
        n.features, n.confidential, n.model, n.sites, n.labels, n.avoid);
  }
  void operator()(const Demand& demand) {
    (*this)(demand.index());
    if (const auto* s = std::get_if<DeclaredSeconds>(&demand)) All(s->seconds, s->on);
    if (const auto* c = std::get_if<ClassUnits>(&demand)) All(c->work_class, c->units);
    if (const auto* t = std::get_if<TokenCounts>(&demand)) All(t->prompt, t->output);
  }
  template <class... T>
  void All(const T&... values) {
    ((*this)(values), ...);
  }

 private:
  std::string& out_;
};

}  // namespace

std::string ShapeKey(const Work& work, bool named) {
  std::string key;
  key.reserve(256);
  KeyWriter write(key);
  // Priority: rules may ask for a least one.
  write.All(work.kind, work.tenant, work.needs, work.demand, work.priority, work.labels, work.pin,
            named);
  if (named) write(work.name);
  write(work.alternatives.size());
  for (const Alternative& a : work.alternatives) write.All(a.on, a.needs, a.demand);
  return key;
}

std::unique_ptr<Shape> MakeShape(std::shared_ptr<const Work> work, bool named, std::string key) {
  auto shape = std::make_unique<Shape>();
  shape->hash = XXH64(key.data(), key.size(), 0);
  shape->key = std::move(key);
  shape->sample = std::move(work);
  shape->named = named;
  return shape;
}

}  // namespace spillway
