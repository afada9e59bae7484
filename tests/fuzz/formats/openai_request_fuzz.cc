// Any bytes as a request body: refused, or a JSON object whose splices parse, ask for usage and
// name the new model, and change nothing the second time.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "formats/openai_scan.h"

using namespace spillway;  // NOLINT: a program of one file

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto call = static_cast<OpenAiCall>(data[0] % 3);
  OpenAiRequest scanned;
  if (ScanOpenAiRequest(call, body, &scanned)) return 0;
  SPILLWAY_CHECK(!scanned.model.empty() && scanned.model.view().size() <= 256);
  SPILLWAY_CHECK(scanned.n >= 1 && scanned.n <= 128 && scanned.OutputBound().value_or(0) >= 0);
  SPILLWAY_CHECK(scanned.text_bytes + scanned.media_bytes <= body.size());
  const std::string edited = SplicedBody(body, scanned, {"new/\"name\"", true}).Text();
  OpenAiRequest again;
  SPILLWAY_CHECK(!ScanOpenAiRequest(call, edited, &again));
  SPILLWAY_CHECK(again.model.view() == "new/\"name\"" && again.include_usage);
  SPILLWAY_CHECK(again.text_bytes == scanned.text_bytes && again.n == scanned.n);
  SPILLWAY_CHECK(again.prefix.hashes == scanned.prefix.hashes);
  SPILLWAY_CHECK(SplicedBody(edited, again, {"new/\"name\"", true}).Text() == edited);
  return 0;
}
