#include "formats/catalog_file.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

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

// `profile` or `assumed`: whether it was measured.
bool ReadBasis(const Place& at, ObjectReader& r) {
  std::string basis;
  if (r.Required("basis", basis) && basis != "profile" && basis != "assumed") {
    FailWord(at, basis, {"profile", "assumed"});
  }
  return basis == "profile";
}

void ReadRate(const Place& at, ClassRate& rate) {
  ObjectReader r(at, "a rate");
  r.Required("rate", rate.units_per_second,
             [](const Place& place, double& out) { ReadText(place, out, ParsePerSecond); });
  rate.measured = ReadBasis(at, r);
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

void CheckShape(const Place& at, const Model& model) {
  if (model.kv_heads > 0 && model.heads % model.kv_heads != 0) {
    at.Fail("`heads` is no multiple of `kv_heads`");
  }
  if (model.active_parameters > model.parameters) {
    at.Fail("`active_parameters` is more than `parameters`");
  }
  if ((model.experts > 0) != (model.experts_per_token > 0)) {
    at.Fail("`experts` and `experts_per_token` stand together or not at all");
  }
  if (model.experts > 0 && model.experts_per_token > model.experts) {
    at.Fail("`experts_per_token` is more than `experts`");
  }
}

void ReadModel(const Place& at, Model& model) {
  constexpr std::int64_t kMostParameters = 1'000'000'000'000'000;
  const auto width = Between(1, 10'000'000);
  ObjectReader r(at, "a model");
  r.Required("name", model.name, ReadName);
  r.Optional("says", model.says);
  if (r.Optional("kind", model.kind) && model.kind == ModelKind::kBatch)
    at.Fail("a model without tokens is a class: it belongs into classes.yaml");
  r.Required("parameters", model.parameters, Between(1, kMostParameters));
  model.active_parameters = model.parameters;
  r.Optional("active_parameters", model.active_parameters, Between(1, kMostParameters));
  r.Required("layers", model.layers, Between(1, 10'000));
  r.Required("hidden", model.hidden, width);
  r.Required("heads", model.heads, Between(1, 100'000));
  r.Required("kv_heads", model.kv_heads, Between(1, 100'000));
  r.Required("head_size", model.head_size, Between(1, 100'000));
  r.Required("ffn", model.ffn, width);
  r.Optional("gated", model.gated);
  r.Optional("experts", model.experts, Between(1, 100'000));
  r.Optional("experts_per_token", model.experts_per_token, Between(1, 100'000));
  r.Required("vocabulary", model.vocabulary, Between(1, 100'000'000));
  r.Required("context", model.context, Between(1, 1'000'000'000));
  r.Optional("bytes_per_token", model.bytes_per_token, ReadPositive);
  r.Required("licence", model.licence);
  r.Required("sources", model.sources, MapOf(kDefaultRead));
  r.Finish();
  CheckShape(at, model);
}

// A name that `known` has.
template <class T>
auto NameIn(const std::map<std::string, T>& known, std::string_view what) {
  return [&known, what](const Place& at, std::string& out) {
    ReadName(at, out);
    if (out.empty() || known.contains(out)) return;
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const auto& [name, entry] : known) names.push_back(name);
    const std::string nearest = NearestWord(out, names);
    at.Fail(absl::StrCat("`", out, "` is no ", ToAbsl(what), " of the catalogue",
                         nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
  };
}

// `[{KEY: 128, time: 65ms}, ...]`, rising by KEY, which becomes `of`.
template <class Point, class Number>
auto PointsBy(std::string_view key, Number Point::*of, std::int64_t most) {
  return [=](const Place& at, std::vector<Point>& out) {
    Listed([=](const Place& item, Point& point) {
      ObjectReader r(item, "a measured point");
      r.Required(key, point.*of, Between(1, most));
      r.Required("time", point.time, ReadSpan);
      r.Finish();
    })(at, out);
    if (at.value().is_list() && out.empty()) at.Fail("an empty table");
    for (std::size_t i = 1; i < out.size(); ++i) {
      if (out[i].*of <= out[i - 1].*of)
        at.Item(i).Fail(absl::StrCat("`", ToAbsl(key), "` must rise"));
    }
  };
}

void ReadProfile(const Place& at, const Catalog& catalog, EngineProfile& profile) {
  ObjectReader r(at, "a profile");
  r.Required("device", profile.device, NameIn(catalog.devices, "device"));
  r.Required("model", profile.model, NameIn(catalog.models, "model"));
  r.Required("precision", profile.precision);
  r.Required("devices", profile.devices, Between(1, 4096));
  r.Required("engine", profile.engine);
  r.Optional("says", profile.says);
  r.Optional("prefill", profile.prefill,
             PointsBy("tokens", &EngineProfile::Point::at, 1'000'000'000));
  const bool decode = r.Optional("decode", profile.decode,
                                 PointsBy("sequences", &EngineProfile::Point::at, 1'000'000'000));
  r.Optional("decode_context", profile.decode_context, Between(1, 1'000'000'000));
  std::int64_t blocks = 0;
  if (r.Optional("kv_blocks", blocks, Between(1, 1'000'000'000))) profile.kv_blocks = blocks;
  int sequences = 0;
  if (r.Optional("max_sequences", sequences, Between(1, 100'000)))
    profile.max_sequences = sequences;
  r.Required("source", profile.source);
  r.Required("licence", profile.licence);
  r.Optional("as_of", profile.as_of, ReadDay);
  if (r.is_map() && !r.Has("prefill") && !r.Has("decode")) {
    at.Fail("a profile needs `prefill`, `decode` or both");
  }
  if (decode && profile.decode_context == 0) {
    at.Fail("a profile with `decode` needs the key `decode_context`");
  }
  r.Finish();
}

auto KeyOf(const EngineProfile& p) { return std::tie(p.device, p.model, p.precision, p.devices); }

void AddProfile(const Place& at, EngineProfile profile, std::vector<EngineProfile>& out) {
  if (profile.device.empty() || profile.model.empty()) return;  // noted when it was read
  profile.name = absl::StrCat(profile.model, " in ", ToAbsl(NameOf(profile.precision)), " on ",
                              profile.devices, " x ", profile.device);
  const auto place = std::lower_bound(
      out.begin(), out.end(), profile,
      [](const EngineProfile& a, const EngineProfile& b) { return KeyOf(a) < KeyOf(b); });
  if (place != out.end() && KeyOf(*place) == KeyOf(profile)) {
    return at.Fail(absl::StrCat("a profile for ", profile.name, " stands here twice"));
  }
  out.insert(place, std::move(profile));
}

void ReadBatches(const Place& at, const Catalog& catalog, BatchProfile& profile) {
  ObjectReader r(at, "an entry of `batches`");
  r.Required("class", profile.work_class, NameIn(catalog.classes, "class"));
  r.Required("device", profile.device, NameIn(catalog.devices, "device"));
  r.Optional("instances", profile.instances, Between(1, 10'000));
  r.Required("points", profile.points, PointsBy("items", &BatchProfile::Point::items, 1'000'000));
  profile.measured = ReadBasis(at, r);
  r.Optional("says", profile.says);
  r.Required("source", profile.source);
  r.Required("licence", profile.licence);
  r.Optional("as_of", profile.as_of, ReadDay);
  r.Finish();
}

void AddBatches(const Place& at, BatchProfile profile, std::vector<BatchProfile>& out) {
  if (profile.work_class.empty() || profile.device.empty()) return;  // noted when it was read
  const auto key = [](const BatchProfile& p) { return std::tie(p.work_class, p.device); };
  const auto place = std::lower_bound(
      out.begin(), out.end(), profile,
      [&](const BatchProfile& a, const BatchProfile& b) { return key(a) < key(b); });
  if (place != out.end() && key(*place) == key(profile)) {
    return at.Fail(absl::StrCat("batches of ", profile.work_class, " on ", profile.device,
                                " stand here twice"));
  }
  out.insert(place, std::move(profile));
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

// In the order of their names; none where there is no such folder.
std::vector<std::string> YamlFilesOf(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".yaml") files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
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

absl::Status ParseModels(std::string_view text, std::string_view name, Catalog& catalog) {
  std::map<std::string, Model> models = catalog.models;
  SPILLWAY_RETURN_IF_ERROR(ParseEntries(text, name, "models", models, ReadModel));
  catalog.models = std::move(models);
  return absl::OkStatus();
}

absl::Status ParseProfiles(std::string_view text, std::string_view name, Catalog& catalog) {
  std::vector<EngineProfile> profiles = catalog.profiles;
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseYaml(text, name));
  Reading reading{std::string(name)};
  const Place root(document, reading);
  ObjectReader r(root, "a file of profiles");
  r.Required("profiles", profiles, [&](const Place& at, std::vector<EngineProfile>& out) {
    if (!IsList(at, kMostEntries)) return;
    for (std::size_t i = 0; i < at.value().list().size(); ++i) {
      EngineProfile profile;
      ReadProfile(at.Item(i), catalog, profile);
      AddProfile(at.Item(i), std::move(profile), out);
    }
  });
  r.Finish();
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  catalog.profiles = std::move(profiles);
  return absl::OkStatus();
}

absl::StatusOr<Catalog> LoadCatalog(const std::string& folder) {
  const std::string devices_name = folder + "/devices.yaml",
                    classes_name = folder + "/classes.yaml", models_name = folder + "/models.yaml";
  SPILLWAY_ASSIGN_OR_RETURN(const std::string devices, ReadTextFile(devices_name));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string classes, ReadTextFile(classes_name));
  SPILLWAY_ASSIGN_OR_RETURN(Catalog catalog,
                            ParseCatalog(devices, classes, devices_name, classes_name));
  if (const auto models = ReadTextFile(models_name); models.ok()) {
    SPILLWAY_RETURN_IF_ERROR(ParseModels(*models, models_name, catalog));
  } else if (!absl::IsNotFound(models.status())) {
    return models.status();
  }
  for (const std::string& file : YamlFilesOf(folder + "/profiles")) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file));
    SPILLWAY_RETURN_IF_ERROR(ParseProfiles(text, file, catalog));
  }
  SPILLWAY_ASSIGN_OR_RETURN(catalog.batches, LoadBatches(folder, catalog));
  return catalog;
}

absl::StatusOr<std::vector<BatchProfile>> ParseBatches(std::string_view text, std::string_view name,
                                                       const Catalog& catalog) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseYaml(text, name));
  Reading reading{std::string(name)};
  const Place root(document, reading);
  std::vector<BatchProfile> batches;
  ObjectReader r(root, "a file of batches");
  r.Required("batches", batches, [&](const Place& at, std::vector<BatchProfile>& out) {
    if (!IsList(at, kMostEntries)) return;
    for (std::size_t i = 0; i < at.value().list().size(); ++i) {
      BatchProfile profile;
      ReadBatches(at.Item(i), catalog, profile);
      AddBatches(at.Item(i), std::move(profile), out);
    }
  });
  r.Finish();
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return batches;
}

absl::StatusOr<std::vector<BatchProfile>> LoadBatches(const std::string& folder,
                                                      const Catalog& catalog) {
  const std::string name = folder + "/batches.yaml";
  const auto text = ReadTextFile(name);
  if (absl::IsNotFound(text.status())) return std::vector<BatchProfile>{};
  if (!text.ok()) return text.status();
  return ParseBatches(*text, name, catalog);
}

}  // namespace spillway
