#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

// Families that are made anew at each scrape, from values that are kept elsewhere.
namespace spillway {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class FamilyWriter {
 public:
  explicit FamilyWriter(std::vector<prometheus::MetricFamily>& out) : out_(out) {}

  // The values that follow belong to this family.
  FamilyWriter& Counter(std::string name, std::string help) {
    return Begin(std::move(name), std::move(help), prometheus::MetricType::Counter);
  }
  FamilyWriter& Gauge(std::string name, std::string help) {
    return Begin(std::move(name), std::move(help), prometheus::MetricType::Gauge);
  }
  FamilyWriter& Value(double value, const Labels& labels = {}) {
    prometheus::ClientMetric metric;
    for (const auto& [name, text] : labels)
      metric.label.push_back({std::string(name), std::string(text)});
    if (out_.back().type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    out_.back().metric.push_back(std::move(metric));
    return *this;
  }

 private:
  FamilyWriter& Begin(std::string name, std::string help, prometheus::MetricType type) {
    out_.push_back({std::move(name), std::move(help), type, {}});
    return *this;
  }
  std::vector<prometheus::MetricFamily>& out_;
};

}  // namespace spillway
