#include "tests/controller/northbound/openapi_check.h"

#include <algorithm>
#include <regex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "controller/northbound/api.h"
#include "core/check.h"
#include "core/text.h"

namespace spillway {
namespace {

const Value* Find(const Value& map, std::string_view key) {
  return map.is_map() ? map.Find(key) : nullptr;
}

std::string TypeOf(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "boolean";
    case Value::Kind::kInteger:
      return "integer";
    case Value::Kind::kReal:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kList:
      return "array";
    case Value::Kind::kMap:
      return "object";
  }
  return "?";
}

bool IsType(const Value& value, const std::string& wanted) {
  const std::string found = TypeOf(value);
  return found == wanted || (wanted == "number" && found == "integer");
}

}  // namespace

OpenapiFile::OpenapiFile() {
  const TextLimits limits{.nodes = 100'000};
  auto root = ParseYaml(OpenapiText(), "openapi.yaml", limits);
  SPILLWAY_CHECK(root.ok());
  root_ = *std::move(root);
}

std::set<std::string> OpenapiFile::Operations() const {
  std::set<std::string> operations;
  for (const Member& path : root_.Find("paths")->map()) {
    for (const Member& method : path.value.map()) {
      std::string name = method.key;
      std::transform(name.begin(), name.end(), name.begin(), ::toupper);
      operations.insert(
          absl::StrCat(name, " ", path.key, " ", method.value.Find("operationId")->string()));
    }
  }
  return operations;
}

std::vector<std::pair<std::string, std::string>> OpenapiFile::RequestExamples() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Member& path : root_.Find("paths")->map()) {
    for (const Member& method : path.value.map()) {
      const Value* body = Find(method.value, "requestBody");
      const Value* json = body ? Find(*body->Find("content"), "application/json") : nullptr;
      const Value* examples = json ? Find(*json, "examples") : nullptr;
      if (examples == nullptr) continue;
      for (const Member& example : examples->map()) {
        found.emplace_back(method.value.Find("operationId")->string(),
                           WriteJson(*example.value.Find("value")));
      }
    }
  }
  return found;
}

const Value& OpenapiFile::Resolve(const Value& value) const {
  const Value* ref = Find(value, "$ref");
  if (ref == nullptr) return value;
  const Value* at = &root_;
  const std::string path = ref->string().substr(2);
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    at = Find(*at, ToStd(part));
    SPILLWAY_CHECK(at != nullptr);
  }
  return Resolve(*at);
}

std::vector<std::string> OpenapiFile::Complaints(std::string_view method, std::string_view pattern,
                                                 int status, std::string_view content_type,
                                                 std::string_view body) const {
  std::string lower(method);
  std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
  const Value* path = root_.Find("paths")->Find(pattern);
  const Value* operation = path ? Find(*path, lower) : nullptr;
  if (operation == nullptr) return {absl::StrCat(lower, " ", ToAbsl(pattern), " is not described")};
  const Value* found = Find(*operation->Find("responses"), absl::StrCat(status));
  if (found == nullptr) return {absl::StrCat("status ", status, " is not described")};
  const Value* contents = Find(Resolve(*found), "content");
  if (contents == nullptr) {
    return body.empty() ? std::vector<std::string>()
                        : std::vector<std::string>{"a body is not described"};
  }
  const std::string type(content_type.substr(0, content_type.find(';')));
  const Value* content = Find(*contents, type);
  if (content == nullptr) return {absl::StrCat("content type ", type, " is not described")};
  if (type.find("json") == std::string::npos) return {};
  const auto value = ParseJson(body);
  if (!value.ok()) return {std::string(value.status().message())};
  std::vector<std::string> complaints;
  Check(*content->Find("schema"), *value, "", complaints);
  return complaints;
}

void OpenapiFile::Check(const Value& given, const Value& value, const std::string& at,
                        std::vector<std::string>& complaints) const {
  const Value& schema = Resolve(given);
  if (const Value* any = Find(schema, "anyOf")) {
    for (const Value& one : any->list()) {
      std::vector<std::string> tried;
      Check(one, value, at, tried);
      if (tried.empty()) return;
    }
    return complaints.push_back(at + ": fits none of anyOf");
  }
  if (const Value* type = Find(schema, "type")) {
    bool fits = type->is_string() && IsType(value, type->string());
    if (type->is_list()) {
      for (const Value& one : type->list()) fits = fits || IsType(value, one.string());
    }
    if (!fits) return complaints.push_back(absl::StrCat(at, ": is ", TypeOf(value)));
  }
  if (const Value* one_of = Find(schema, "enum")) {
    const auto& list = one_of->list();
    if (std::find(list.begin(), list.end(), value) == list.end())
      complaints.push_back(at + ": is none of enum");
  }
  if (const Value* constant = Find(schema, "const"); constant && !(*constant == value))
    complaints.push_back(at + ": is not the constant");
  if (const Value* pattern = Find(schema, "pattern"); pattern && value.is_string()) {
    if (!std::regex_match(value.string(), std::regex(pattern->string())))
      complaints.push_back(absl::StrCat(at, ": `", value.string(), "` does not fit the pattern"));
  }
  if (value.is_list()) {
    const Value* items = Find(schema, "items");
    for (std::size_t i = 0; items && i < value.list().size(); ++i)
      Check(*items, value.list()[i], absl::StrCat(at, "/", i), complaints);
  }
  if (value.is_map()) CheckMap(schema, value, at, complaints);
}

void OpenapiFile::CheckMap(const Value& schema, const Value& value, const std::string& at,
                           std::vector<std::string>& complaints) const {
  if (const Value* required = Find(schema, "required")) {
    for (const Value& key : required->list()) {
      if (value.Find(key.string()) == nullptr)
        complaints.push_back(absl::StrCat(at, ": lacks ", key.string()));
    }
  }
  const Value* properties = Find(schema, "properties");
  const Value* others = Find(schema, "additionalProperties");
  for (const Member& member : value.map()) {
    const std::string place = absl::StrCat(at, "/", member.key);
    const Value* known = properties ? Find(*properties, member.key) : nullptr;
    if (known != nullptr) {
      Check(*known, member.value, place, complaints);
    } else if (others != nullptr && others->is_map()) {
      Check(*others, member.value, place, complaints);
    } else if (others != nullptr && !others->boolean()) {
      complaints.push_back(place + ": is not described");
    }
  }
}

}  // namespace spillway
