#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

// What a batch of requests adds to one series, summed up here and then poured in at once: the
// library locks and exchanges memory between cores for each single value. Not thread-safe.
namespace spillway {

class GatheredCounter {
 public:
  GatheredCounter() = default;
  explicit GatheredCounter(prometheus::Counter& into) : into_(&into) {}
  void Add(double value) { sum_ += value; }
  void Pour() {
    if (sum_ > 0) into_->Increment(sum_);
    sum_ = 0;
  }

 private:
  prometheus::Counter* into_ = nullptr;
  double sum_ = 0;
};

class GatheredHistogram {
 public:
  // `bounds` are those of `into`, and outlive this.
  GatheredHistogram(prometheus::Histogram& into, const std::vector<double>& bounds)
      : into_(into), bounds_(bounds), counts_(bounds.size() + 1) {}

  void Add(double value) {
    if (size_ < few_.size()) {
      few_[size_] = value;
    } else {
      if (size_ == few_.size()) std::for_each(few_.begin(), few_.end(), [&](double v) { Sort(v); });
      Sort(value);
    }
    ++size_;
  }
  void Pour() {
    if (size_ <= few_.size()) {
      std::for_each_n(few_.begin(), size_, [&](double value) { into_.Observe(value); });
    } else {
      into_.ObserveMultiple(counts_, sum_);
      std::fill(counts_.begin(), counts_.end(), 0);
      sum_ = 0;
    }
    size_ = 0;
  }
  bool empty() const { return size_ == 0; }

 private:
  void Sort(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    ++counts_[static_cast<std::size_t>(bucket)];
    sum_ += value;
  }

  prometheus::Histogram& into_;
  const std::vector<double>& bounds_;
  std::vector<double> counts_;  // one for each bucket
  double sum_ = 0;
  std::array<double, 4> few_{};  // a few are cheaper one by one
  std::size_t size_ = 0;
};

}  // namespace spillway
