#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace spillway {

// By label: values that were counted under `other` since their cap was reached.
using Dropped = std::map<std::string, std::uint64_t>;

// The value as a label shows it: valid UTF-8 without control characters, at most kLongestLabel
// bytes. What is not becomes `?`; Prometheus would refuse the whole scrape otherwise.
inline constexpr std::size_t kLongestLabel = 128;
std::string HarmlessLabel(std::string_view value);

// Keeps the values of one label bounded: the first `most` that come keep their name, all later ones
// become "other" and are counted. Not thread-safe.
class LabelCap {
 public:
  explicit LabelCap(std::size_t most) : most_(most) {}

  std::string_view Of(std::string_view value) {
    if (const auto known = known_.find(value); known != known_.end()) return known->second;
    if (known_.size() < most_)
      return known_.emplace(std::string(value), HarmlessLabel(value)).first->second;
    ++dropped_;
    return "other";
  }
  std::uint64_t dropped() const { return dropped_; }

 private:
  const std::size_t most_;
  std::map<std::string, std::string, std::less<>> known_;  // as it came, as it is shown
  std::uint64_t dropped_ = 0;
};

}  // namespace spillway
