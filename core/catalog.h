#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/batch_profile.h"
#include "core/device.h"
#include "core/model.h"

namespace spillway {

// configs/catalog/, read once. Immutable afterwards, shared by all.
struct Catalog {
  std::map<std::string, Device> devices;
  std::map<std::string, WorkClass> classes;
  std::map<std::string, Model> models;
  std::vector<EngineProfile> profiles;  // by device, model, precision, devices: no two alike
  std::vector<BatchProfile> batches;    // by class and device: no two alike
};

}  // namespace spillway
