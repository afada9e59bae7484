#include "formats/reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/text.h"
#include "formats/did_you_mean.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMaxText = 4096;

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

InputFinding At(const Place& place, const Mark& mark, std::string detail) {
  return {place.Pointer(), mark.line, mark.column, std::move(detail)};
}

}  // namespace

std::string Place::Pointer() const {
  if (!parent_) return "";
  const std::string step = member_ ? absl::StrReplaceAll(member_->key, {{"~", "~0"}, {"/", "~1"}})
                                   : absl::StrCat(index_);
  return absl::StrCat(parent_->Pointer(), "/", step);
}
std::string Place::Pattern() const {
  if (!parent_) return "";
  const std::string above = parent_->Pattern();
  if (!member_) return above + "[]";
  return above.empty() ? member_->key : absl::StrCat(above, ".", member_->key);
}
void Place::Fail(std::string detail) const {
  reading_->error().Add(At(*this, value_->mark(), std::move(detail)));
}
void Place::Warn(std::string detail) const {
  reading_->warnings().Add(At(*this, value_->mark(), std::move(detail)));
}

void Reading::KnowKey(const Place& object, std::string_view key) {
  if (!known_keys_) return;
  const std::string above = object.Pattern();
  known_keys_->insert(absl::StrCat(above, above.empty() ? "" : ".", ToAbsl(key)));
}

void FailKind(const Place& at, std::string_view wanted) {
  if (at.value().is_null()) {
    return at.Fail(absl::StrCat("is empty: wants ", ToAbsl(wanted), ", or leave the key out"));
  }
  std::string found(at.value().KindName());
  const bool is_scalar = !at.value().is_list() && !at.value().is_map();
  if (is_scalar) absl::StrAppend(&found, " ", Quoted(at.value().text()));
  at.Fail(absl::StrCat("wants ", ToAbsl(wanted), ", found ", found));
}

void Read(const Place& at, bool& out) {
  const Value& value = at.value();
  if (value.kind() == Value::Kind::kBool) {
    out = value.boolean();
    return;
  }
  FailKind(at, "`true` or `false`");
}

std::string TextOf(const Place& at) {
  const Value& value = at.value();
  if (!value.is_string()) {
    const bool is_scalar = value.is_number() || value.kind() == Value::Kind::kBool;
    if (is_scalar) {
      at.Fail(absl::StrCat("wants text: write \"", value.text(), "\" in quotes"));
    } else {
      FailKind(at, "text");
    }
    return "";
  }
  const std::string& text = value.string();
  if (value.is_doubtful()) {
    at.Fail(absl::StrCat("`", text, "` may mean a boolean: write \"", text, "\" in quotes"));
    return "";
  }
  if (text.empty()) at.Fail("is empty");
  if (text.size() > kMaxText) {
    at.Fail(absl::StrCat("is ", text.size(), " bytes long, at most ", kMaxText, " are taken"));
    return "";
  }
  if (HasControlCharacter(text)) {
    at.Fail("holds a control character");
    return "";
  }
  return text;
}
void Read(const Place& at, std::string& out) {
  std::string text = TextOf(at);
  if (!text.empty()) out = std::move(text);
}

std::optional<std::int64_t> ReadInteger(const Place& at, std::int64_t low, std::int64_t high) {
  if (at.value().kind() != Value::Kind::kInteger) {
    FailKind(at, "a whole number");
    return std::nullopt;
  }
  const auto value = at.value().AsInt64();
  if (value && *value >= low && *value <= high) return value;
  at.Fail(absl::StrCat(Quoted(at.value().text()), " is out of range: ", low, " to ", high));
  return std::nullopt;
}
void Read(const Place& at, int& out) { Between(0, std::numeric_limits<int>::max())(at, out); }
void Read(const Place& at, std::uint64_t& out) {
  if (const auto value = at.value().AsUint64()) {
    out = *value;
    return;
  }
  ReadInteger(at, 0, std::numeric_limits<std::int64_t>::max());
}
void Read(const Place& at, double& out) {
  if (!at.value().is_number()) return FailKind(at, "a number");
  const double value = at.value().real();
  if (value < 0) return at.Fail(absl::StrCat(Quoted(at.value().text()), " is negative"));
  out = value;
}

void Read(const Place& at, Bytes& out) { ReadText(at, out, ParseBytes); }
void Read(const Place& at, absl::Duration& out) { ReadText(at, out, ParseDuration); }
void Read(const Place& at, MilliCpus& out) {
  const std::string text = at.value().is_number() ? at.value().text() : TextOf(at);
  if (text.empty()) return;
  const auto cpus = ParseCpus(text);
  if (!cpus.ok()) return at.Fail(cpus.status());
  constexpr MilliCpus kMost(1'000'000'000);  // a million CPUs
  if (*cpus > kMost) return at.Fail(absl::StrCat(Quoted(text), " is out of range: up to 1000000"));
  out = *cpus;
}
void Read(const Place& at, UsdPerHour& out) { ReadText(at, out, ParseUsdPerHour); }
void Read(const Place& at, UsdPerMtoken& out) { ReadText(at, out, ParseUsdPerMtoken); }
void Read(const Place& at, UsdPerGib& out) { ReadText(at, out, ParseUsdPerGib); }
void Read(const Place& at, UsdPerKwh& out) { ReadText(at, out, ParseUsdPerKwh); }
void Read(const Place& at, Usd& out) { ReadText(at, out, ParseDecimalUsd); }
void Read(const Place& at, GramsCo2e& out) { ReadText(at, out, ParseGramsCo2e); }
void Read(const Place& at, Watts& out) { ReadText(at, out, ParseWatts); }
void Read(const Place& at, GramsCo2ePerKwh& out) { ReadText(at, out, ParseCarbon); }
void Read(const Place& at, BytesPerSecond& out) { ReadText(at, out, ParseBytesPerSecond); }
void Read(const Place& at, OpsPerSecond& out) { ReadText(at, out, ParseOpsPerSecond); }
void Read(const Place& at, absl::Time& out) { ReadText(at, out, ParseTime); }
void Read(const Place& at, Version& out) { ReadText(at, out, Version::Parse); }
void Read(const Place& at, RuntimeNeed& out) { ReadText(at, out, RuntimeNeed::Parse); }
void ReadDay(const Place& at, std::string& out) { ReadText(at, out, ParseDay); }
void ReadSpan(const Place& at, absl::Duration& out) {
  ReadText(at, out, [](std::string_view text) {
    auto span = ParseDuration(text);
    if (span.ok() && *span == absl::ZeroDuration()) span = absl::InvalidArgumentError("is zero");
    return span;
  });
}
void ReadPositive(const Place& at, double& out) {
  constexpr double kMost = 1e15;
  if (!at.value().is_number()) return FailKind(at, "a number");
  const double value = at.value().real();
  if (value > 0 && value <= kMost) {
    out = value;
  } else {
    at.Fail(absl::StrCat(Quoted(at.value().text()), " is out of range: more than 0, up to 1e15"));
  }
}
void ReadPercent(const Place& at, double& out) { ReadText(at, out, ParsePercent); }

bool IsName(std::string_view text) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view kAny = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= 63 && kFirst.find(text[0]) != text.npos &&
         text.find_first_not_of(kAny) == text.npos;
}
void ReadName(const Place& at, std::string& out) {
  std::string text = TextOf(at);
  if (text.empty()) return;
  if (!IsName(text)) {
    return at.Fail(absl::StrCat(Quoted(text),
                                " is no name: up to 63 of a-z 0-9 . _ - beginning "
                                "with a letter or a digit"));
  }
  out = std::move(text);
}

void FailWord(const Place& at, const std::string& word, const std::vector<std::string>& known) {
  std::string hint = DidYouMean(word, known);
  if (hint.empty()) hint = absl::StrCat(": one of ", absl::StrJoin(known, ", "));
  at.Fail(absl::StrCat("unknown word ", Quoted(word), hint));
}

bool IsList(const Place& at, std::size_t most) {
  if (!at.value().is_list()) {
    FailKind(at, "a list");
    return false;
  }
  if (at.value().list().size() <= most) return true;
  at.Fail(absl::StrCat("has ", at.value().list().size(), " items, at most ", most, " are taken"));
  return false;
}
bool IsMapOfNames(const Place& at, std::size_t most) {
  if (!at.value().is_map()) {
    FailKind(at, "a map");
    return false;
  }
  const Value::Map& members = at.value().map();
  if (members.size() > most) {
    at.Fail(absl::StrCat("has ", members.size(), " entries, at most ", most, " are taken"));
    return false;
  }
  bool all_good = true;
  for (const Member& member : members) {
    if (IsName(member.key)) continue;
    all_good = false;
    at.Child(member).Fail(absl::StrCat("key ", Quoted(member.key),
                                       " is no name: up to 63 of a-z "
                                       "0-9 . _ - beginning with a letter or a digit"));
  }
  return all_good;
}

void ReadLabels(const Place& at, std::map<std::string, std::string>& out) {
  constexpr std::size_t kMostLabels = 32, kMostBytes = 128;
  const auto read_value = [](const Place& place, std::string& value) {
    Read(place, value);
    if (value.size() > kMostBytes) {
      place.Fail(
          absl::StrCat("a label of ", value.size(), " bytes, at most ", kMostBytes, " are taken"));
    }
  };
  MapOf(read_value, kMostLabels)(at, out);
}

ObjectReader::ObjectReader(const Place& at, std::string_view what)
    : at_(at), what_(what), is_map_(at.value().is_map()) {
  if (!is_map_) FailKind(at, absl::StrCat("a map, ", what_));
}

const Member* ObjectReader::Take(std::string_view key) {
  at_.reading().KnowKey(at_, key);
  known_.emplace_back(key);
  if (!is_map_) return nullptr;
  const Value::Map& members = at_.value().map();
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == members.end() ? nullptr : &*found;
}
bool ObjectReader::Has(std::string_view key) const {
  return is_map_ && at_.value().Find(key) != nullptr;
}
void ObjectReader::Miss(std::string_view key) {
  if (is_map_) at_.Fail(absl::StrCat(what_, " needs the key `", ToAbsl(key), "`"));
}
void ObjectReader::Refuse(std::string_view key, std::string_view why) {
  refused_.emplace_back(key);
  if (!Has(key)) return;
  for (const Member& member : at_.value().map()) {
    if (member.key == key) at_.Child(member).Fail(std::string(why));
  }
}

void ObjectReader::Finish() {
  if (!is_map_) return;
  const auto is_in = [](const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  for (const Member& member : at_.value().map()) {
    if (is_in(known_, member.key) || is_in(refused_, member.key)) continue;
    if (at_.reading().error().is_full()) {
      at_.Fail("unknown key");
      continue;
    }
    std::string hint = DidYouMean(member.key, known_);
    if (hint.empty()) hint = absl::StrCat(": ", what_, " has ", absl::StrJoin(known_, ", "));
    const Place place = at_.Child(member);
    at_.reading().error().Add(
        At(place, member.mark, absl::StrCat("unknown key ", Quoted(member.key), hint)));
  }
}

}  // namespace spillway
