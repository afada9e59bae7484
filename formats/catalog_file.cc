#include "formats/catalog_file.h"

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/file_text.h"
#include "formats/reader.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMostEntries = 10'000;

void ReadPower(const Place& at, Device& device) {
  ObjectReader r(at, "`power`");
  r.Required("idle", device.idle);
  r.Required("busy", device.busy);
  r.Finish();
  if (device.busy < device.idle) at.Fail("`busy` is less than `idle`");
}

void ReadPeak(const Place& at, std::map<Precision, OpsPerSecond>& peak) {
  ObjectReader r(at, "`peak`");
  for (const auto& [precision, name] : kPrecisionNames) {
    OpsPerSecond rate;
    if (r.Optional(name, rate)) peak[precision] = rate;
  }
  r.Finish();
}

void ReadListPrice(const Place& at, ListPrice& price) {
  ObjectReader r(at, "a list price");
  r.Required("node_hour", price.node_hour);
  r.Required("of", price.of);
  r.Required("as_of", price.as_of, ReadDay);
  r.Required("source", price.source);
  r.Finish();
}

void ReadDevice(const Place& at, Device& device) {
  ObjectReader r(at, "a device");
  r.Required("name", device.name, ReadName);
  r.Optional("says", device.says);
  r.Required("kind", device.kind);
  r.Required("vendor", device.vendor, ReadName);
  r.Optional("arch", device.arch);
  r.Optional("vcpus", device.vcpus, Between(1, 4096));
  r.Required("memory", device.memory);
  r.Required("bandwidth", device.bandwidth);
  r.Required("peak", device.peak, ReadPeak);
  r.Required("power", device, ReadPower);
  r.Optional("features", device.features, Listed(ReadName));
  r.Optional("prices", device.prices, Listed(ReadListPrice));
  r.Optional("sources", device.sources, MapOf(kDefaultRead));
  r.Finish();
  const bool is_cpu = device.kind == DeviceKind::kCpu;
  if (is_cpu && device.vcpus == 0) at.Fail("a CPU needs the key `vcpus`: the slice that it is");
  if (is_cpu && !device.arch) at.Fail("a CPU needs the key `arch`");
  if (!is_cpu && device.vcpus > 0) at.Fail("`vcpus` is for CPUs only");
}

void ReadRate(const Place& at, ClassRate& rate) {
  ObjectReader r(at, "a rate");
  r.Required("rate", rate.units_per_second,
             [](const Place& place, double& out) { ReadText(place, out, ParsePerSecond); });
  std::string basis;
  if (r.Required("basis", basis) && basis != "profile" && basis != "assumed") {
    FailWord(at, basis, {"profile", "assumed"});
  }
  rate.measured = basis == "profile";
  r.Required("source", rate.source);
  r.Finish();
}

void ReadClass(const Place& at, WorkClass& work_class) {
  ObjectReader r(at, "a work class");
  r.Required("name", work_class.name, ReadName);
  r.Required("unit", work_class.unit);
  r.Optional("says", work_class.says);
  r.Required("rates", work_class.rates, MapOf(ReadRate));
  r.Finish();
}

// Into a map by name; a name that stands there already is noted.
template <class T>
void AddNamed(const Place& at, T entry, std::map<std::string, T>& out) {
  if (entry.name.empty()) return;  // noted when it was read
  const std::string name = entry.name;
  if (!out.emplace(name, std::move(entry)).second) {
    at.Fail(absl::StrCat("the name `", name, "` stands here twice"));
  }
}
template <class T, class F>
void ReadNamed(const Place& at, std::map<std::string, T>& out, F read) {
  if (!IsList(at, kMostEntries)) return;
  for (std::size_t i = 0; i < at.value().list().size(); ++i) {
    T entry;
    read(at.Item(i), entry);
    AddNamed(at.Item(i), std::move(entry), out);
  }
}

// `{devices: [...]}` or `{classes: [...]}`.
template <class T, class F>
absl::Status ParseEntries(std::string_view text, std::string_view name, std::string_view key,
                          std::map<std::string, T>& out, F read) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseYaml(text, name));
  Reading reading{std::string(name)};
  const Place root(document, reading);
  ObjectReader r(root, "a catalogue file");
  r.Required(key, out, [&](const Place& at, auto& entries) { ReadNamed(at, entries, read); });
  r.Finish();
  return reading.ToStatus();
}

absl::Status CheckRates(const Catalog& catalog, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [device, entry] : catalog.devices) known.push_back(device);
  InputError error{std::string(name)};
  for (const auto& [class_name, work_class] : catalog.classes) {
    for (const auto& [device, rate] : work_class.rates) {
      if (catalog.devices.contains(device)) continue;
      const std::string nearest = NearestWord(device, known);
      error.Add(
          {"", 0, 0,
           absl::StrCat("class `", class_name, "` has a rate for `", device,
                        "`, which is no device of the catalogue",
                        nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)"))});
    }
  }
  return error.ToStatus();
}

}  // namespace

absl::StatusOr<Catalog> ParseCatalog(std::string_view devices, std::string_view classes,
                                     std::string_view devices_name, std::string_view classes_name) {
  Catalog catalog;
  SPILLWAY_RETURN_IF_ERROR(
      ParseEntries(devices, devices_name, "devices", catalog.devices, ReadDevice));
  SPILLWAY_RETURN_IF_ERROR(
      ParseEntries(classes, classes_name, "classes", catalog.classes, ReadClass));
  SPILLWAY_RETURN_IF_ERROR(CheckRates(catalog, classes_name));
  return catalog;
}

absl::StatusOr<Catalog> LoadCatalog(const std::string& folder) {
  const std::string devices_name = folder + "/devices.yaml",
                    classes_name = folder + "/classes.yaml";
  SPILLWAY_ASSIGN_OR_RETURN(const std::string devices, ReadTextFile(devices_name));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string classes, ReadTextFile(classes_name));
  return ParseCatalog(devices, classes, devices_name, classes_name);
}

}  // namespace spillway
