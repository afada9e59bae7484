#include "net/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/check.h"

namespace spillway {
namespace {

// Looked up once: by name it costs more than hashing a key does.
const EVP_MD* Sha256() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  SPILLWAY_CHECK(method != nullptr);
  return method;
}

}  // namespace

Sha256Digest Sha256Of(std::string_view bytes) {
  Sha256Digest digest;
  SPILLWAY_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, Sha256(), nullptr) == 1);
  return digest;
}

bool SameDigest(const Sha256Digest& a, const Sha256Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace spillway
