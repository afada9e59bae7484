#include "adapters/openai/metrics_scan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace spillway {
namespace {

std::string_view CommonPrefix(std::string_view a, std::string_view b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return a.substr(0, static_cast<std::size_t>(end - a.begin()));
}

// The value of `wanted` in `a="x",b="y"`, its escapes in place; none if it is not there, or the
// labels are malformed before it.
std::optional<std::string_view> Label(std::string_view labels, std::string_view wanted) {
  while (!labels.empty()) {
    const std::size_t equals = labels.find("=\"");
    if (equals == labels.npos) return std::nullopt;
    std::string_view name = labels.substr(0, equals);
    while (!name.empty() && (name.front() == ',' || name.front() == ' ')) name.remove_prefix(1);
    labels.remove_prefix(equals + 2);
    std::size_t end = 0;
    while (end < labels.size() && labels[end] != '"') end += labels[end] == '\\' ? 2 : 1;
    if (end >= labels.size()) return std::nullopt;
    if (name == wanted) return labels.substr(0, end);
    labels.remove_prefix(end + 1);
  }
  return std::nullopt;
}

// Where the labels end that begin at `labels[0]`, behind their brace; npos if they do not.
std::size_t LabelsEnd(std::string_view labels) {
  bool quoted = false;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (quoted && labels[i] == '\\') {
      ++i;
    } else if (labels[i] == '"') {
      quoted = !quoted;
    } else if (labels[i] == '}' && !quoted) {
      return i;
    }
  }
  return labels.npos;
}

std::optional<double> ParseValue(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool whole = stop == end || *stop == ' ' || *stop == '\t';
  if (error != std::errc() || !whole || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

}  // namespace

MetricsScan::MetricsScan(const EngineKind& kind, std::string model)
    : model_(std::move(model)), names_{&kind.waiting, &kind.running, &kind.kv_usage} {
  bool first = true;
  for (const MetricNames* const names : names_) {
    for (const MetricName& one : *names) {
      if (one.name.empty()) continue;
      prefix_ = first ? one.name : CommonPrefix(prefix_, one.name);
      first = false;
    }
  }
}

void MetricsScan::Feed(std::string_view piece) {
  while (!piece.empty()) {
    const void* const lf = std::memchr(piece.data(), '\n', piece.size());
    const std::size_t size =
        lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - piece.data()) : piece.size();
    const std::string_view part = piece.substr(0, size);
    piece.remove_prefix(std::min(size + 1, piece.size()));
    if (partial_.size() + size > kLongestLine) {
      skipping_ = true;
      partial_.clear();
    }
    if (!lf) {
      if (!skipping_) partial_.append(part);
      return;
    }
    if (!skipping_) Line(partial_.empty() ? part : std::string_view(partial_.append(part)));
    partial_.clear();
    skipping_ = false;
  }
}

void MetricsScan::Line(std::string_view line) {
  if (prefix_.empty() || line.substr(0, prefix_.size()) != prefix_) return;
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t name_end = std::min(line.find_first_of("{ \t"), line.size());
  const std::string_view name = line.substr(0, name_end);
  line.remove_prefix(name_end);
  std::string_view labels;
  if (!line.empty() && line.front() == '{') {
    const std::size_t end = LabelsEnd(line.substr(1));
    if (end == line.npos) return;
    labels = line.substr(1, end);
    line.remove_prefix(end + 2);
  }
  if (const auto value = ParseValue(line)) Sample(name, labels, *value);
}

void MetricsScan::Sample(std::string_view name, std::string_view labels, double value) {
  for (std::size_t fact = 0; fact < names_.size(); ++fact) {
    for (std::size_t i = 0; i < names_[fact]->size(); ++i) {
      const MetricName& wanted = (*names_[fact])[i];
      if (wanted.name != name || wanted.name.empty() || !WantedModel(labels)) continue;
      if (!wanted.label.empty() && Label(labels, wanted.label) != wanted.value) continue;
      auto& found = found_[fact][i];
      const bool is_share = fact == 2;
      found = is_share ? std::max(found.value_or(0), value) : found.value_or(0) + value;
    }
  }
}

bool MetricsScan::WantedModel(std::string_view labels) const {
  if (model_.empty()) return true;
  return Label(labels, "model_name").value_or(model_) == model_;
}

ScrapedLoad MetricsScan::Finish() {
  if (!partial_.empty() && !skipping_) Line(partial_);
  partial_.clear();
  const auto newest = [this](std::size_t fact) {
    for (const auto& value : found_[fact]) {
      if (value) return value;
    }
    return std::optional<double>();
  };
  ScrapedLoad load{newest(0), newest(1), newest(2)};
  if (load.kv_usage && *load.kv_usage > 1) load.kv_usage.reset();  // a percentage, or nonsense
  return load;
}

}  // namespace spillway
