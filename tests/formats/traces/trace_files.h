#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/traces/reader.h"
#include "tests/support/temporary_folder.h"

namespace spillway::testing_support {

// A trace written for one test.
class TraceText {
 public:
  TraceText(TraceFormat format, std::string_view text) {
    spec_.format = format;
    spec_.file = folder_.Of("trace.csv");
    std::ofstream(spec_.file, std::ios::binary) << text;
  }
  TraceSpec& spec() { return spec_; }

  // All rows, or the status that ended them; the report of either.
  absl::StatusOr<std::vector<TraceRow>> Read() {
    auto reader = TraceReader::Open(spec_);
    if (!reader.ok()) return reader.status();
    std::vector<TraceRow> rows;
    for (;;) {
      TraceRow row;
      const auto is_there = (*reader)->Next(row);
      report_ = (*reader)->report();
      if (!is_there.ok()) return is_there.status();
      if (!*is_there) return rows;
      rows.push_back(std::move(row));
    }
  }
  const TraceReport& report() const { return report_; }
  // A message without the name of the folder.
  std::string Message(const absl::Status& status) const {
    std::string text(status.message());
    for (auto at = text.find(folder_.path()); at != text.npos; at = text.find(folder_.path()))
      text.erase(at, folder_.path().size() + 1);
    return text;
  }

 private:
  TemporaryFolder folder_;
  TraceSpec spec_;
  TraceReport report_;
};

}  // namespace spillway::testing_support
