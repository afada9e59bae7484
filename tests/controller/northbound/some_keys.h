#pragma once

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "controller/northbound/identity.h"

namespace spillway {

inline ApiKey KeyOf(std::string_view key, std::string tenant, std::string role) {
  const Sha256Digest digest = Sha256Of(key);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return {"key-of-" + tenant + "-" + role, absl::BytesToHexString(bytes), tenant, role};
}

// reader-of-a, submitter-of-a, submitter-of-b, operator (of ops).
inline absl::StatusOr<std::shared_ptr<const Keyring>> SomeKeys() {
  return Keyring::Make(
      {KeyOf("reader-of-a", "a", "reader"), KeyOf("submitter-of-a", "a", "submitter"),
       KeyOf("submitter-of-b", "b", "submitter"), KeyOf("operator", "ops", "operator")});
}

}  // namespace spillway
