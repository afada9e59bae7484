#include "formats/traces/reader.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/traces/rows.h"

namespace spillway {
namespace {

const TraceTable& TableOf(TraceFormat format) {
  switch (format) {
    case TraceFormat::kAzureLlm:
      return AzureLlmTable();
    case TraceFormat::kAzureLlmRaw:
      return AzureLlmRawTable();
    case TraceFormat::kMooncake:
      return MooncakeTable();
    case TraceFormat::kBurstGpt:
      return BurstGptTable();
    case TraceFormat::kOpenB:
      return OpenBTable();
    case TraceFormat::kGavel:
      return GavelTable();
    case TraceFormat::kServeGen:
    case TraceFormat::kSpillwayCsv:
    case TraceFormat::kSpillwayJsonl:
      break;
  }
  return SpillwayTable();
}

// Rows as they stand in the file; azure-llm-raw counts time from the first.
class PlainReader final : public TraceReader {
 public:
  PlainReader(RowReader rows, bool from_first) : rows_(std::move(rows)), from_first_(from_first) {}
  absl::StatusOr<bool> Next(TraceRow& row) override {
    SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, rows_.Next(row));
    if (!is_there || !from_first_) return is_there;
    if (!first_) first_ = row.at;
    row.at -= *first_;
    return true;
  }
  const TraceReport& report() const override { return rows_.report(); }

 private:
  RowReader rows_;
  bool from_first_;
  std::optional<std::int64_t> first_;
};

// Rows of one instant are spread over the grid that they were rounded to.
class SpreadReader final : public TraceReader {
 public:
  static constexpr std::int64_t kGrid = 3'000'000'000;
  static constexpr std::size_t kMostOfOneInstant = 100'000;

  explicit SpreadReader(RowReader rows) : rows_(std::move(rows)) {}
  absl::StatusOr<bool> Next(TraceRow& row) override {
    if (ready_.empty()) SPILLWAY_RETURN_IF_ERROR(FillBatch());
    if (ready_.empty()) return false;
    row = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }
  const TraceReport& report() const override { return rows_.report(); }

 private:
  // `ahead_` is the first row of the next instant; at the start there is none.
  absl::Status FillBatch() {
    if (ahead_) ready_.push_back(*std::exchange(ahead_, std::nullopt));
    std::int64_t until = 0;
    for (;;) {
      TraceRow row;
      SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, rows_.Next(row));
      if (ready_.empty() && !is_there) return absl::OkStatus();
      if (!ready_.empty() && (!is_there || row.at != ready_.front().at)) {
        until = ready_.front().at + kGrid;
        if (is_there) until = std::min(until, row.at);
        if (is_there) ahead_ = std::move(row);
        break;
      }
      if (ready_.size() == kMostOfOneInstant) {
        return rows_.Fault("more than 100000 rows of one instant");
      }
      ready_.push_back(std::move(row));
    }
    const std::int64_t begin = ready_.front().at;
    const auto count = static_cast<std::int64_t>(ready_.size());
    for (std::int64_t i = 0; i < count; ++i) {
      ready_[static_cast<std::size_t>(i)].at = begin + (until - begin) / count * i;
    }
    return absl::OkStatus();
  }

  RowReader rows_;
  std::deque<TraceRow> ready_;
  std::optional<TraceRow> ahead_;
};

// Clusters stand one behind the other in the file, and run side by side.
class ClusterReader final : public TraceReader {
 public:
  static constexpr std::size_t kMost = 1'000'000;

  ClusterReader(RowReader rows, const std::vector<std::string>& wanted)
      : rows_(std::move(rows)), wanted_(wanted.begin(), wanted.end()) {}
  absl::StatusOr<bool> Next(TraceRow& row) override {
    if (!is_read_) SPILLWAY_RETURN_IF_ERROR(ReadAll());
    is_read_ = true;
    if (next_ == all_.size()) return false;
    row = std::move(all_[next_++]);
    return true;
  }
  const TraceReport& report() const override { return rows_.report(); }

 private:
  absl::Status ReadAll() {
    std::set<std::string> found;
    for (;;) {
      TraceRow row;
      SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, rows_.Next(row));
      if (!is_there) break;
      found.insert(row.tenant);
      if (!wanted_.empty() && !wanted_.contains(row.tenant)) {
        --rows_.report().rows;
        ++rows_.report().left_out;
        continue;
      }
      if (all_.size() == kMost) return rows_.Fault("more than 1000000 jobs");
      all_.push_back(std::move(row));
    }
    for (const std::string& name : wanted_) {
      if (found.contains(name)) continue;
      const std::string nearest = NearestWord(name, found);
      return absl::InvalidArgumentError(
          absl::StrCat(rows_.path(), ": no row is of the virtual cluster `", name, "`",
                       nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
    }
    std::stable_sort(all_.begin(), all_.end(),
                     [](const TraceRow& a, const TraceRow& b) { return a.at < b.at; });
    return absl::OkStatus();
  }

  RowReader rows_;
  std::set<std::string> wanted_;
  bool is_read_ = false;
  std::vector<TraceRow> all_;
  std::size_t next_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> TraceReader::Open(const TraceSpec& spec) {
  if (spec.format == TraceFormat::kServeGen) {
    return absl::InternalError("servegen holds rates, not arrivals");
  }
  const bool is_json =
      spec.format == TraceFormat::kMooncake || spec.format == TraceFormat::kSpillwayJsonl;
  const bool has_clusters = spec.format == TraceFormat::kGavel;
  SPILLWAY_ASSIGN_OR_RETURN(RowReader rows,
                            RowReader::Open(spec.file, TableOf(spec.format),
                                            {is_json, spec.skip_bad_rows, has_clusters}));
  if (has_clusters) return std::make_unique<ClusterReader>(std::move(rows), spec.clusters);
  if (spec.format == TraceFormat::kMooncake) {
    return std::make_unique<SpreadReader>(std::move(rows));
  }
  return std::make_unique<PlainReader>(std::move(rows), spec.format == TraceFormat::kAzureLlmRaw);
}

}  // namespace spillway
