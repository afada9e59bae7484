#include "formats/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/check.h"

namespace spillway {

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value Value::MakeBool(bool value) {
  Value made;
  made.data_ = Boolean{value, value ? "true" : "false"};
  return made;
}
Value Value::MakeInteger(std::int64_t value) {
  Value made;
  made.data_ = Integer{false, static_cast<std::uint64_t>(value), std::to_string(value)};
  return made;
}
Value Value::MakeUnsigned(std::uint64_t value) {
  Value made;
  const bool is_large = value > static_cast<std::uint64_t>(INT64_MAX);
  made.data_ = Integer{is_large, value, std::to_string(value)};
  return made;
}
Value Value::MakeReal(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  std::string written(text.data(), end);
  // "5" would read back as an integer.
  if (written.find_first_not_of("-0123456789") == std::string::npos) written += ".0";
  return MakeReal(value, std::move(written));
}
Value Value::MakeReal(double value, std::string text) {
  Value made;
  made.data_ = Real{value, std::move(text)};
  return made;
}
Value Value::MakeString(std::string_view value) {
  Value made;
  made.data_ = std::string(value);
  return made;
}
Value Value::MakeList(List items) {
  Value made;
  made.data_ = std::move(items);
  return made;
}
Value Value::MakeMap() {
  Value made;
  made.data_ = Map();
  return made;
}

std::size_t Value::data_index() const { return data_.index(); }

std::string_view Value::KindName() const {
  constexpr std::array<std::string_view, 7> kNames{"nothing",  "a boolean", "a number", "a number",
                                                   "a string", "a list",    "a map"};
  return kNames[data_.index()];
}

bool Value::boolean() const { return std::get<Boolean>(data_).value; }
double Value::real() const {
  if (const auto* real = std::get_if<Real>(&data_)) return real->value;
  const Integer& integer = std::get<Integer>(data_);
  if (integer.is_unsigned) return static_cast<double>(integer.bits);
  return static_cast<double>(static_cast<std::int64_t>(integer.bits));
}
const std::string& Value::string() const { return std::get<std::string>(data_); }
const Value::List& Value::list() const { return std::get<List>(data_); }
Value::List& Value::list() { return std::get<List>(data_); }
const Value::Map& Value::map() const { return std::get<Map>(data_); }
Value::Map& Value::map() { return std::get<Map>(data_); }

std::optional<std::int64_t> Value::AsInt64() const {
  const auto* integer = std::get_if<Integer>(&data_);
  if (!integer || integer->is_unsigned) return std::nullopt;
  return static_cast<std::int64_t>(integer->bits);
}
std::optional<std::uint64_t> Value::AsUint64() const {
  const auto* integer = std::get_if<Integer>(&data_);
  if (!integer) return std::nullopt;
  const bool is_negative = !integer->is_unsigned && static_cast<std::int64_t>(integer->bits) < 0;
  if (is_negative) return std::nullopt;
  return integer->bits;
}

const std::string& Value::text() const {
  static const std::string kNothing;
  if (const auto* boolean = std::get_if<Boolean>(&data_)) return boolean->text;
  if (const auto* integer = std::get_if<Integer>(&data_)) return integer->text;
  if (const auto* real = std::get_if<Real>(&data_)) return real->text;
  if (const auto* string = std::get_if<std::string>(&data_)) return *string;
  return kNothing;
}

const Value* Value::Find(std::string_view key) const {
  const Map& members = map();
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == members.end() ? nullptr : &found->value;
}
Value* Value::Find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).Find(key));
}
Value& Value::Set(std::string_view key, Value value) {
  if (Value* found = Find(key)) return *found = std::move(value);
  map().push_back({std::string(key), {}, std::move(value)});
  return map().back().value;
}
bool Value::Remove(std::string_view key) {
  return std::erase_if(map(), [&](const Member& member) { return member.key == key; }) > 0;
}
Value& Value::Append(Value value) {
  list().push_back(std::move(value));
  return list().back();
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return a.boolean() == b.boolean();
    case Value::Kind::kInteger:
      return a.AsInt64() == b.AsInt64() && a.AsUint64() == b.AsUint64();
    case Value::Kind::kReal:
      return a.real() == b.real();
    case Value::Kind::kString:
      return a.string() == b.string();
    case Value::Kind::kList:
      return a.list() == b.list();
    case Value::Kind::kMap:
      break;
  }
  const auto is_in_b = [&](const Member& member) {
    const Value* found = b.Find(member.key);
    return found && *found == member.value;
  };
  return a.map().size() == b.map().size() && std::all_of(a.map().begin(), a.map().end(), is_in_b);
}

Value MergePatch(Value target, const Value& patch) {
  if (!patch.is_map()) return patch;
  if (!target.is_map()) {
    target = Value::MakeMap();
    target.set_mark(patch.mark());
  }
  for (const Member& change : patch.map()) {
    if (change.value.is_null()) {
      target.Remove(change.key);
      continue;
    }
    // Even for a new key the nulls inside the patch must go, as the RFC says.
    Value* found = target.Find(change.key);
    Value merged = MergePatch(found ? std::move(*found) : Value(), change.value);
    target.Set(change.key, std::move(merged));
  }
  return target;
}

Value DiffPatch(const Value& from, const Value& to) {
  SPILLWAY_CHECK(from.is_map() && to.is_map());
  Value patch = Value::MakeMap();
  for (const Member& member : from.map()) {
    if (!to.Find(member.key)) patch.Set(member.key, Value());
  }
  for (const Member& member : to.map()) {
    const Value* found = from.Find(member.key);
    if (found && *found == member.value) continue;
    const bool both_maps = found && found->is_map() && member.value.is_map();
    patch.Set(member.key, both_maps ? DiffPatch(*found, member.value) : member.value);
  }
  return patch;
}

}  // namespace spillway
