#include "core/pool.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace spillway {

bool KeepsPrefixes(const PoolSpec& pool) {
  static constexpr std::array<std::string_view, 8> kKeep{
      "vllm", "sglang", "tgi", "trtllm", "triton-trtllm", "llama.cpp", "ollama", "spillway"};
  return pool.adapter.type != "openai" ||
         std::find(kKeep.begin(), kKeep.end(), pool.adapter.engine) != kKeep.end();
}

}  // namespace spillway
