#include "formats/json_schema.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace spillway {
namespace {

constexpr int kMostSteps = 200'000;  // pairs of a schema and a value
constexpr int kDeepest = 200;        // schemas within schemas, references followed

bool IsSchema(const Value& value) { return value.is_map() || value.kind() == Value::Kind::kBool; }

// 1 and 1.0 are one number.
bool Equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return a.real() == b.real();
  return a == b;
}

bool IsWhole(const Value& value) {
  return value.kind() == Value::Kind::kInteger ||
         (value.is_number() && std::trunc(value.real()) == value.real());
}

bool HasType(const Value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.kind() == Value::Kind::kBool;
  if (type == "integer") return IsWhole(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_list();
  if (type == "object") return value.is_map();
  return false;
}

std::size_t Letters(const std::string& utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// One step of a JSON pointer, with ~1 and ~0 resolved (RFC 6901).
std::string Unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    out.push_back(!escape ? token[i] : token[++i] == '1' ? '/' : '~');
  }
  return out;
}

class SchemaCheck {
 public:
  explicit SchemaCheck(const Value& root) : root_(root) {}

  bool Met(const Value& schema, const Value& value) {
    if (++steps_ > kMostSteps || depth_ >= kDeepest) return false;
    if (!schema.is_map()) return schema.kind() != Value::Kind::kBool || schema.boolean();
    ++depth_;
    const bool met = Kind(schema, value) && Combined(schema, value) && Bounds(schema, value) &&
                     (!value.is_map() || Object(schema, value)) &&
                     (!value.is_list() || Array(schema, value));
    --depth_;
    return met;
  }

 private:
  const Value& root_;
  int steps_ = 0, depth_ = 0;

  bool Kind(const Value& schema, const Value& value) {
    if (const Value* type = schema.Find("type")) {
      const auto has = [&](const Value& name) {
        return name.is_string() && HasType(value, name.string());
      };
      if (type->is_list() ? std::none_of(type->list().begin(), type->list().end(), has)
                          : !has(*type))
        return false;
    }
    if (const Value* only = schema.Find("const"); only && !Equal(*only, value)) return false;
    const Value* any = schema.Find("enum");
    if (any == nullptr || !any->is_list()) return true;
    steps_ += static_cast<int>(any->list().size());
    return std::any_of(any->list().begin(), any->list().end(),
                       [&](const Value& one) { return Equal(one, value); });
  }

  bool Combined(const Value& schema, const Value& value) {
    if (const Value* ref = schema.Find("$ref")) {
      const Value* target = ref->is_string() ? Find(ref->string()) : nullptr;
      if (target == nullptr || !Met(*target, value)) return false;
    }
    if (const Value* no = schema.Find("not"); no && IsSchema(*no) && Met(*no, value)) return false;
    const auto met = [&](const Value& one) { return Met(one, value); };
    const auto list = [&](std::string_view key) -> const Value::List* {
      const Value* all = schema.Find(key);
      return all != nullptr && all->is_list() ? &all->list() : nullptr;
    };
    if (const auto* all = list("allOf"); all && !std::all_of(all->begin(), all->end(), met))
      return false;
    if (const auto* any = list("anyOf"); any && std::none_of(any->begin(), any->end(), met))
      return false;
    const auto* one = list("oneOf");
    return one == nullptr || std::count_if(one->begin(), one->end(), met) == 1;
  }

  // "#", "#/$defs/point"; null: it leads nowhere.
  const Value* Find(std::string_view ref) const {
    if (ref.empty() || ref[0] != '#') return nullptr;
    const Value* at = &root_;
    for (ref.remove_prefix(1); !ref.empty();) {
      if (ref[0] != '/') return nullptr;
      ref.remove_prefix(1);
      const std::string_view token = ref.substr(0, ref.find('/'));
      ref.remove_prefix(token.size());
      at = at->is_map() ? at->Find(Unescaped(token)) : nullptr;
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  // `holds(found, wanted)` where the schema has the number.
  template <class Holds>
  static bool Bound(const Value& schema, std::string_view key, double found, Holds holds) {
    const Value* wanted = schema.Find(key);
    return wanted == nullptr || !wanted->is_number() || holds(found, wanted->real());
  }
  static bool Between(const Value& schema, std::string_view least, std::string_view most,
                      std::size_t found) {
    return Bound(schema, least, static_cast<double>(found), std::greater_equal<>()) &&
           Bound(schema, most, static_cast<double>(found), std::less_equal<>());
  }
  static bool Bounds(const Value& schema, const Value& value) {
    if (value.is_string())
      return Between(schema, "minLength", "maxLength", Letters(value.string()));
    if (value.is_list()) return Between(schema, "minItems", "maxItems", value.list().size());
    if (!value.is_number()) return true;
    const double found = value.real();
    return Bound(schema, "minimum", found, std::greater_equal<>()) &&
           Bound(schema, "maximum", found, std::less_equal<>()) &&
           Bound(schema, "exclusiveMinimum", found, std::greater<>()) &&
           Bound(schema, "exclusiveMaximum", found, std::less<>());
  }

  bool Object(const Value& schema, const Value& value) {
    if (const Value* required = schema.Find("required"); required && required->is_list()) {
      for (const Value& key : required->list()) {
        if (key.is_string() && !value.Find(key.string())) return false;
      }
    }
    const Value* known = schema.Find("properties");
    if (known != nullptr && !known->is_map()) known = nullptr;
    // Which keys are left over is not known where patterns name some.
    const Value* others =
        schema.Find("patternProperties") ? nullptr : schema.Find("additionalProperties");
    for (const Member& member : value.map()) {
      const Value* of = known != nullptr ? known->Find(member.key) : nullptr;
      if (of == nullptr) of = others;
      if (of != nullptr && IsSchema(*of) && !Met(*of, member.value)) return false;
    }
    return true;
  }

  bool Array(const Value& schema, const Value& value) {
    const Value* first = schema.Find("prefixItems");
    if (first != nullptr && !first->is_list()) first = nullptr;
    const Value* others = schema.Find("items");
    for (std::size_t i = 0; i < value.list().size(); ++i) {
      const Value* of = first && i < first->list().size() ? &first->list()[i] : others;
      if (of != nullptr && IsSchema(*of) && !Met(*of, value.list()[i])) return false;
    }
    return true;
  }
};

}  // namespace

std::optional<WantedJson> WantedJson::Read(std::string_view response_format) {
  const auto format = ParseJson(response_format);
  if (!format.ok() || !format->is_map()) return std::nullopt;
  const Value* type = format->Find("type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  WantedJson wanted;
  wanted.object_ = type->string() == "json_object";
  const Value* around = &*format;
  if (type->string() == "json_schema") around = format->Find("json_schema");
  if (!wanted.object_ && (type->string() != "json_schema" || !around || !around->is_map()))
    return std::nullopt;
  if (const Value* schema = around->Find("schema")) {
    if (!IsSchema(*schema)) return std::nullopt;
    wanted.schema_ = *schema;
  }
  return wanted;
}

bool WantedJson::IsMetBy(std::string_view text) const {
  const auto value = ParseJson(text);
  if (!value.ok() || (object_ && !value->is_map())) return false;
  return SchemaCheck(schema_).Met(schema_, *value);
}

}  // namespace spillway
