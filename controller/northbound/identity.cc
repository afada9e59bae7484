#include "controller/northbound/identity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controller/northbound/openai_errors.h"
#include "controller/northbound/problems.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::string_view kWantsKey =
    "this needs a key of the controller, as `Authorization: Bearer KEY`";

absl::StatusOr<Sha256Digest> DigestOf(const ApiKey& key) {
  const bool is_hex = key.sha256.size() == 64 &&
                      key.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hex)
    return absl::InvalidArgumentError(
        absl::StrCat("keys: `", key.name, "`: `sha256` is no SHA-256"));
  const std::string bytes = absl::HexStringToBytes(key.sha256);
  Sha256Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

absl::StatusOr<Role> RoleOf(const ApiKey& key) {
  const std::optional<Role> role = ParseName<Role>(key.role);
  if (role && *role != Role::kPublic) return *role;
  return absl::InvalidArgumentError(absl::StrCat("keys: `", key.name, "`: the role is `", key.role,
                                                 "`, not reader, submitter or operator"));
}

HttpResponse InOpenAiForm(const Caller& caller, std::string words) {
  if (caller.access == Access::kNoKey) {
    return OpenAiErrorAnswer({.status = 401,
                              .type = "authentication_error",
                              .message = std::move(words),
                              .code = "invalid_api_key"});
  }
  return OpenAiErrorAnswer({.status = 403,
                            .type = "permission_error",
                            .message = std::move(words),
                            .code = "insufficient_permissions"});
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Keyring>> Keyring::Make(const std::vector<ApiKey>& keys) {
  auto ring = std::make_shared<Keyring>();
  for (const ApiKey& key : keys) {
    SPILLWAY_ASSIGN_OR_RETURN(const Sha256Digest digest, DigestOf(key));
    SPILLWAY_ASSIGN_OR_RETURN(const Role role, RoleOf(key));
    for (const Entry& entry : ring->entries_) {
      if (entry.digest == digest)
        return absl::InvalidArgumentError(
            absl::StrCat("keys: `", key.name, "` and `", entry.identity.key, "` are the same key"));
    }
    ring->entries_.push_back({digest, {key.name, key.tenant, role}});
  }
  return ring;
}

const Identity* Keyring::Find(std::string_view key) const {
  const Sha256Digest digest = Sha256Of(key);
  std::size_t found = 0;  // one more than its place; summed up, so that no branch hangs on it
  for (std::size_t i = 0; i < entries_.size(); ++i)
    found += (i + 1) * static_cast<std::size_t>(SameDigest(entries_[i].digest, digest));
  return found == 0 ? nullptr : &entries_[found - 1].identity;
}

std::optional<std::string_view> PresentedKey(const Headers& headers) {
  if (headers.Count("Authorization") != 1) return std::nullopt;
  std::string_view value = headers.Get("Authorization");
  if (!absl::StartsWithIgnoreCase(ToAbsl(value), ToAbsl(kScheme))) return std::nullopt;
  value.remove_prefix(std::min(value.find_first_not_of(' ', kScheme.size()), value.size()));
  if (value.empty()) return std::nullopt;
  return value;
}

Caller WhoCalls(const Keyring& keys, const Headers& headers, Role needed) {
  if (keys.empty() || needed == Role::kPublic) return {};
  const auto presented = PresentedKey(headers);
  const Identity* who = presented ? keys.Find(*presented) : nullptr;
  if (who == nullptr) return {Access::kNoKey, {}};
  return {who->role >= needed ? Access::kGranted : Access::kRoleTooLow, *who};
}

HttpResponse Refusal(const HttpRequest& head, const Caller& caller, Role needed) {
  const bool no_key = caller.access == Access::kNoKey;
  std::string words = no_key ? std::string(kWantsKey)
                             : absl::StrCat("the key `", caller.who.key, "` is for the role ",
                                            ToAbsl(NameOf(caller.who.role)), ", this needs ",
                                            ToAbsl(NameOf(needed)));
  HttpResponse response =
      IsOpenAiPath(head)
          ? InOpenAiForm(caller, std::move(words))
          : ProblemAnswer(head, no_key ? ProblemCode::kNoValidKey : ProblemCode::kRoleTooLow,
                          std::move(words));
  response.headers.Add("WWW-Authenticate",
                       no_key ? "Bearer realm=\"spillway\""
                              : "Bearer realm=\"spillway\", error=\"insufficient_scope\"");
  return response;
}

bool IsOpenAiPath(const HttpRequest& head) { return !head.path.empty() && head.path[0] == "v1"; }

}  // namespace spillway
