#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/names.h"
#include "net/digest.h"
#include "net/http.h"

// Who calls: the keys that callers present, and what each of them allows.
namespace spillway {

// What a caller must be allowed; each may do what those before it may. kPublic asks for no key.
enum class Role : std::uint8_t { kPublic, kReader, kSubmitter, kOperator };
inline constexpr EnumNames<Role, 4> kRoleNames{{{Role::kPublic, "public"},
                                                {Role::kReader, "reader"},
                                                {Role::kSubmitter, "submitter"},
                                                {Role::kOperator, "operator"}}};
constexpr const auto& NamesOf(Role) { return kRoleNames; }

struct Identity {
  std::string key;  // its public name; empty: there are no keys
  std::string tenant = "default";
  Role role = Role::kOperator;
};

// The keys in force. The keys themselves are nowhere: only their SHA-256 is, and a key has so many
// bits that a plain hash of it cannot be turned back. Immutable.
class Keyring {
 public:
  // kInvalidArgument: a role or a hash that is none, a hash that two keys have.
  static absl::StatusOr<std::shared_ptr<const Keyring>> Make(const std::vector<ApiKey>& keys);

  bool empty() const { return entries_.empty(); }
  // Null: nobody's key. Compares with every key whatever is found (a thousand take 18 us), so
  // that the time tells nothing.
  const Identity* Find(std::string_view key) const;

 private:
  struct Entry {
    Sha256Digest digest;
    Identity identity;
  };
  std::vector<Entry> entries_;
};

// What stands behind `Authorization: Bearer`; none: no such field, another scheme, or two fields.
std::optional<std::string_view> PresentedKey(const Headers& headers);

enum class Access : std::uint8_t { kGranted, kNoKey, kRoleTooLow };

// `who` is set where access is granted, or where it is the role that does not suffice. Without any
// keys everybody is an operator of the tenant `default`.
struct Caller {
  Access access = Access::kGranted;
  Identity who;
};
Caller WhoCalls(const Keyring& keys, const Headers& headers, Role needed);

// 401 or 403; never kGranted. The same words whatever was wrong with a key. On OpenAI's paths in
// OpenAI's form, else a problem.
HttpResponse Refusal(const HttpRequest& head, const Caller& caller, Role needed);

// Is this a path of OpenAI's API?
bool IsOpenAiPath(const HttpRequest& head);

}  // namespace spillway
