#include "adapters/process/order_check.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr const char* kReserved = "SPILLWAY_";

bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

std::string WhyNotVariable(const std::string& name, const std::string& value) {
  if (name.empty() || absl::StrContains(name, '=') || HasNul(name)) {
    return absl::StrCat("cannot start: `", name.substr(0, name.find('\0')),
                        "` is no name of a variable");
  }
  if (absl::StartsWith(name, kReserved)) {
    return absl::StrCat("cannot start: variables that begin with ", kReserved,
                        " are set by spillway, not by jobs: `", name, "`");
  }
  if (HasNul(value))
    return absl::StrCat("cannot start: variable `", name, "` has a NUL in its value");
  return {};
}

}  // namespace

std::string WhyNotRunnable(const LaunchOrder& order) {
  if (order.command.empty() || order.command.front().empty())
    return "cannot start: the command is empty";
  if (std::any_of(order.command.begin(), order.command.end(), HasNul)) {
    return "cannot start: an argument of the command has a NUL in it";
  }
  if (HasNul(order.cwd)) return "cannot start: the folder has a NUL in its name";
  if (!order.cwd.empty() && order.cwd.front() != '/') {
    return absl::StrCat("cannot start: folder `", order.cwd, "` is not absolute");
  }
  for (const auto& [name, value] : order.env) {
    if (std::string why = WhyNotVariable(name, value); !why.empty()) return why;
  }
  return {};
}

std::vector<std::string> EnvironmentFor(const LaunchOrder& order,
                                        const std::map<std::string, std::string>& base,
                                        const std::string& mark) {
  std::map<std::string, std::string> env{{"PATH", kDefaultPath}};
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    if (const auto found = base.find(name); found != base.end()) env[name] = found->second;
  }
  for (const auto& [name, value] : order.env) env[name] = value;
  for (const auto& [name, value] : order.told) env[name] = value;
  env["SPILLWAY_JOB"] = ToString(order.key.job);
  env["SPILLWAY_ATTEMPT"] = absl::StrCat(order.key.attempt);
  env["SPILLWAY_RUN"] = mark;
  std::vector<std::string> entries;
  entries.reserve(env.size());
  for (const auto& [name, value] : env) entries.push_back(absl::StrCat(name, "=", value));
  return entries;
}

}  // namespace spillway
