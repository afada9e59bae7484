#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/catalog.h"

// configs/catalog/: devices.yaml and classes.yaml. Their shapes are told in the README beside them.
namespace spillway {

// Reads both files of `folder`. kNotFound if one is missing; findings otherwise.
absl::StatusOr<Catalog> LoadCatalog(const std::string& folder);

// From texts. Rates of classes must name devices of the catalogue.
absl::StatusOr<Catalog> ParseCatalog(std::string_view devices, std::string_view classes,
                                     std::string_view devices_name = "devices.yaml",
                                     std::string_view classes_name = "classes.yaml");

}  // namespace spillway
