#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/pool.h"

// "Which pools?" as people write it: every key that is given must hold, a list means any of its
// entries.
//   {vendor: nvidia}   {kind: [cpu, npu], site: office}   {features: [tdx]}
// An empty selector matches every pool.
namespace spillway {

struct PoolSelector {
  std::vector<std::string> name;
  std::vector<DeviceKind> kind;
  std::vector<std::string> vendor;
  std::vector<std::string> device;
  std::vector<Arch> arch;
  std::vector<Billing> billing;
  std::vector<std::string> site;
  std::vector<SiteKind> site_kind;
  std::vector<std::string> features;      // any of them
  std::vector<std::string> confidential;  // any of them
  std::vector<std::string> runtime;       // any of them, by name
  std::vector<int> tier;
  std::optional<bool> modelled;
  std::map<std::string, std::vector<std::string>> labels;  // every key; any of its values

  bool empty() const;
  bool Matches(const PoolSpec& pool) const;
  friend bool operator==(const PoolSelector&, const PoolSelector&) = default;
};

}  // namespace spillway
