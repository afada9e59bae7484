#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "formats/codec_read.h"
#include "formats/codec_write.h"

namespace spillway::codec {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
// Abseil keeps quarters of nanoseconds.
constexpr std::int64_t kQuartersPerSecond = 4'000'000'000;
const absl::Duration kQuarter = absl::Nanoseconds(1) / 4;

void WriteHex(JsonWriter& w, std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    hex.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
  }
  w.BeginObject().PlainKey("hex").PlainText(hex).EndObject();
}

bool ReadHex(std::string_view hex, std::string& out, Trouble& trouble) {
  out.clear();
  if (hex.size() % 2 != 0) return trouble.Say("an odd number of hexadecimal digits");
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = kHexDigits.find(hex[i]);
    const auto low = kHexDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      return trouble.Say("not a hexadecimal digit");
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

// A span that is no whole number of nanoseconds within int64, as [seconds, quarters].
void WriteOddSpan(JsonWriter& w, absl::Duration span) {
  absl::Duration rest;
  const std::int64_t seconds = absl::IDivDuration(span, absl::Seconds(1), &rest);
  const std::int64_t quarters = absl::IDivDuration(rest, kQuarter, &rest);
  w.BeginArray().Value(seconds).Value(quarters).EndArray();
}

// Numbers and pairs; the infinite ones are the caller's.
bool ReadSpan(const Value& v, absl::Duration& out, Trouble& trouble) {
  if (const auto nanos = v.AsInt64()) {
    out = absl::Nanoseconds(*nanos);
    return true;
  }
  const bool pair = v.is_list() && v.list().size() == 2;
  const auto seconds = pair ? v.list()[0].AsInt64() : std::nullopt;
  const auto quarters = pair ? v.list()[1].AsInt64() : std::nullopt;
  if (!seconds || !quarters) return trouble.Wanted("nanoseconds", v);
  if (*quarters <= -kQuartersPerSecond || *quarters >= kQuartersPerSecond)
    return trouble.Say("more quarters of nanoseconds than a second has");
  out = absl::Seconds(*seconds) + *quarters * kQuarter;
  return true;
}

}  // namespace

void WriteText(JsonWriter& w, std::string_view text) {
  IsUtf8(text) ? void(w.Value(text)) : WriteHex(w, text);
}

bool ReadText(const Value& v, std::string& out, Trouble& trouble) {
  if (v.is_string()) {
    out = v.string();
    return true;
  }
  const Value* hex = v.is_map() && v.map().size() == 1 ? v.Find("hex") : nullptr;
  if (hex == nullptr || !hex->is_string()) return trouble.Wanted("a text", v);
  return ReadHex(hex->string(), out, trouble);
}

void WriteTime(JsonWriter& w, absl::Time time) {
  if (time == absl::InfiniteFuture()) return void(w.PlainText(kForever));
  if (time == absl::InfinitePast()) return void(w.PlainText(kForeverAgo));
  const std::int64_t nanos = absl::ToUnixNanos(time);
  absl::FromUnixNanos(nanos) == time ? void(w.Value(nanos))
                                     : WriteOddSpan(w, time - absl::UnixEpoch());
}

bool ReadTime(const Value& v, absl::Time& out, Trouble& trouble) {
  if (v.is_string() && v.string() == kForever) return out = absl::InfiniteFuture(), true;
  if (v.is_string() && v.string() == kForeverAgo) return out = absl::InfinitePast(), true;
  absl::Duration since;
  if (!ReadSpan(v, since, trouble)) return false;
  out = absl::UnixEpoch() + since;
  return true;
}

void WriteDuration(JsonWriter& w, absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return void(w.PlainText(kForever));
  if (duration == -absl::InfiniteDuration()) return void(w.PlainText(kForeverAgo));
  const std::int64_t nanos = absl::ToInt64Nanoseconds(duration);
  absl::Nanoseconds(nanos) == duration ? void(w.Value(nanos)) : WriteOddSpan(w, duration);
}

bool ReadDuration(const Value& v, absl::Duration& out, Trouble& trouble) {
  if (v.is_string() && v.string() == kForever) return out = absl::InfiniteDuration(), true;
  if (v.is_string() && v.string() == kForeverAgo) return out = -absl::InfiniteDuration(), true;
  return ReadSpan(v, out, trouble);
}

bool ReadReal(const Value& v, double& out, Trouble& trouble) {
  if (v.is_string()) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::string& name = v.string();
    if (name == kForever) return out = kInfinity, true;
    if (name == kForeverAgo) return out = -kInfinity, true;
    if (name == "nan") return out = std::numeric_limits<double>::quiet_NaN(), true;
  }
  if (!v.is_number()) return trouble.Wanted("a number", v);
  // From the text itself: the parser's own idea of the number may be off by the last bit.
  const std::string& text = v.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size())
    return trouble.Say(absl::StrCat("`", text, "` is no double"));
  return true;
}

bool ReadVersion(const Value& v, Version& out, Trouble& trouble) {
  if (!v.is_string()) return trouble.Wanted("a version", v);
  if (v.string().empty()) return out = Version(), true;
  auto version = Version::Parse(v.string());
  if (!version.ok()) return trouble.Say(std::string(version.status().message()));
  out = *std::move(version);
  return true;
}

bool ReadRuntime(const Value& v, RuntimeNeed& out, Trouble& trouble) {
  if (!v.is_string()) return trouble.Wanted("a runtime", v);
  auto runtime = RuntimeNeed::Parse(v.string());
  if (!runtime.ok()) return trouble.Say(std::string(runtime.status().message()));
  out = *std::move(runtime);
  return true;
}

bool ReadCodes(const Value& v, CodeSet& out, Trouble& trouble) {
  std::uint32_t bits = 0;
  if (!ReadWhole(v, bits, trouble)) return false;
  if (bits >> kCodeNames.size() != 0) return trouble.Say("bits that stand for no code");
  out = CodeSet(bits);
  return true;
}

absl::StatusOr<Value> ParseDocument(std::string_view text) {
  // What we wrote ourselves may be large (a fleet of 10,000 pools); it is bounded where it came in.
  TextLimits limits;
  limits.bytes = text.size();
  limits.nodes = text.size() + 1;
  auto tree = ParseJson(text, limits);
  if (!tree.ok()) return absl::DataLossError(tree.status().message());
  const bool versioned = tree->is_map() && !tree->map().empty() && tree->map()[0].key == "v";
  if (!versioned) return absl::DataLossError("the text does not begin with its version");
  const auto version = tree->map()[0].value.AsInt64();
  if (version != kFormatVersion) {
    return absl::DataLossError(absl::StrCat("format version ", tree->map()[0].value.text(),
                                            ", this program reads ", kFormatVersion));
  }
  return tree;
}

}  // namespace spillway::codec
