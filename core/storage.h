#pragma once

#include <cstdint>

#include "core/names.h"

namespace spillway {

// Where the weights of a model lie when an engine starts (performance/model_load.h has speeds).
enum class Storage : std::uint8_t { kNvme, kBlock, kNetwork, kObject };
inline constexpr EnumNames<Storage, 4> kStorageNames{{{Storage::kNvme, "nvme"},
                                                      {Storage::kBlock, "block"},
                                                      {Storage::kNetwork, "network"},
                                                      {Storage::kObject, "object"}}};
constexpr const auto& NamesOf(Storage) { return kStorageNames; }

}  // namespace spillway
