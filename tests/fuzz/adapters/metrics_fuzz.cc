// Any bytes as a page of metrics: the same load whatever the split, never negative, and a cache is
// never more than full.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "adapters/openai/metrics_scan.h"
#include "core/check.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

ScrapedLoad Scan(const EngineKind& kind, std::string_view page, std::size_t step) {
  MetricsScan scan(kind, "m");
  while (!page.empty()) {
    scan.Feed(page.substr(0, step));
    page.remove_prefix(std::min(step, page.size()));
  }
  return scan.Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view page(reinterpret_cast<const char*>(data + 1), size - 1);
  const EngineKind& kind = EngineKinds()[data[0] % EngineKinds().size()];
  const ScrapedLoad whole = Scan(kind, page, page.size() + 1);
  SPILLWAY_CHECK(whole == Scan(kind, page, 1));
  SPILLWAY_CHECK(whole == Scan(kind, page, 1 + data[0] % 31));
  SPILLWAY_CHECK(whole.waiting.value_or(0) >= 0 && whole.running.value_or(0) >= 0);
  SPILLWAY_CHECK(whole.kv_usage.value_or(0) >= 0 && whole.kv_usage.value_or(0) <= 1);
  return 0;
}
