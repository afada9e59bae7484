#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/batch_profile.h"
#include "core/catalog.h"

// configs/catalog/: devices.yaml, classes.yaml, models.yaml, profiles/*.yaml and batches.yaml.
// Their shapes are told in the README beside them.
namespace spillway {

// Reads all files of `folder`; models.yaml, profiles/ and batches.yaml may be missing, then there
// are none. kNotFound if another one is missing; findings otherwise.
absl::StatusOr<Catalog> LoadCatalog(const std::string& folder);

// From texts. Rates of classes must name devices of the catalogue.
absl::StatusOr<Catalog> ParseCatalog(std::string_view devices, std::string_view classes,
                                     std::string_view devices_name = "devices.yaml",
                                     std::string_view classes_name = "classes.yaml");

// Adds models to a catalogue, and measured profiles of its devices and models: no two alike, kept
// in the order of device, model, precision and devices. `catalog` is left as it was if anything is
// wrong.
absl::Status ParseModels(std::string_view text, std::string_view name, Catalog& catalog);
absl::Status ParseProfiles(std::string_view text, std::string_view name, Catalog& catalog);

// batches.yaml: how fast batches of a class were measured on a device, no two alike, in the order
// of class and device; of a catalogue's classes and devices. None where `folder` has no such file.
absl::StatusOr<std::vector<BatchProfile>> LoadBatches(const std::string& folder,
                                                      const Catalog& catalog);
absl::StatusOr<std::vector<BatchProfile>> ParseBatches(std::string_view text, std::string_view name,
                                                       const Catalog& catalog);

}  // namespace spillway
