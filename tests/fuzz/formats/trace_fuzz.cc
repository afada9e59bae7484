// Any bytes as a trace, in any format: refused with findings that name the line, or rows in the
// order of time whose figures lie in their ranges; with bad rows skipped, as many as were told.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/check.h"
#include "formats/findings.h"
#include "formats/traces/reader.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

constexpr TraceFormat kFormats[] = {TraceFormat::kAzureLlm,    TraceFormat::kAzureLlmRaw,
                                    TraceFormat::kMooncake,    TraceFormat::kBurstGpt,
                                    TraceFormat::kOpenB,       TraceFormat::kGavel,
                                    TraceFormat::kSpillwayCsv, TraceFormat::kSpillwayJsonl};

// Readers open files: one of this process, written anew for each input.
const std::string& FileOf(std::string_view text) {
  static const std::string path = "/tmp/spillway_trace_fuzz." + std::to_string(::getpid());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  SPILLWAY_CHECK(file != nullptr);
  SPILLWAY_CHECK(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  std::fclose(file);
  static const int registered = std::atexit(
      [] { ::unlink(("/tmp/spillway_trace_fuzz." + std::to_string(::getpid())).c_str()); });
  SPILLWAY_CHECK(registered == 0);
  return path;
}

void ReadAll(const TraceSpec& spec) {
  auto reader = TraceReader::Open(spec);
  if (!reader.ok()) {
    SPILLWAY_CHECK(!FindingsOf(reader.status()).empty());
    return;
  }
  TraceRow row;
  std::int64_t before = 0, rows = 0;
  for (;;) {
    const auto more = (*reader)->Next(row);
    if (!more.ok()) {
      SPILLWAY_CHECK(!FindingsOf(more.status()).empty());
      return;
    }
    if (!*more) break;
    SPILLWAY_CHECK(row.at >= before);
    before = row.at;
    ++rows;
    SPILLWAY_CHECK(row.prompt_tokens >= 0 && row.prompt_tokens <= kMostTraceTokens);
    SPILLWAY_CHECK(row.output_tokens >= 0 && row.output_tokens <= kMostTraceTokens);
    SPILLWAY_CHECK(row.items >= 1 && row.nodes >= 1 && row.units >= 0);
  }
  const TraceReport& report = (*reader)->report();
  SPILLWAY_CHECK(report.rows == rows);
  SPILLWAY_CHECK(report.bad <= spec.skip_bad_rows);
  SPILLWAY_CHECK(report.bad_rows.size() <= 20);
}

}  // namespace

// The first byte chooses the format and whether bad rows are passed over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TraceSpec spec;
  spec.file = FileOf(text);
  spec.format = kFormats[data[0] % std::size(kFormats)];
  spec.skip_bad_rows = (data[0] & 0x80) != 0 ? 5 : 0;
  ReadAll(spec);
  return 0;
}
