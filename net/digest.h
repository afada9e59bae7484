#pragma once

#include <array>
#include <string_view>

// SHA-256, and comparing what must not be guessed. Thread-safe.
namespace spillway {

using Sha256Digest = std::array<unsigned char, 32>;

Sha256Digest Sha256Of(std::string_view bytes);

// In a time that does not depend on where they differ.
bool SameDigest(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace spillway
