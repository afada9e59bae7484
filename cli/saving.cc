#include "cli/saving.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/reading.h"

namespace spillway::cli {

void Saving::Add(std::optional<Usd> cost, std::optional<Usd> baseline) {
  if (!cost) return;
  all_cost_ = all_cost_ + *cost;
  if (!baseline) {
    ++without_;
    return;
  }
  cost_ = cost_ + *cost;
  baseline_ = baseline_ + *baseline;
}

std::string SavedPercent(Usd cost, Usd baseline) {
  if (baseline.value() <= 0) return "";
  const double part = 100.0 * static_cast<double>((baseline - cost).value()) /
                      static_cast<double>(baseline.value());
  // Nearly all is not all: 99.6 % must not read 100 %.
  if (part >= 99 && part < 100) return absl::StrFormat("%.1f %%", std::min(part, 99.9));
  return absl::StrFormat("%.0f %%", std::abs(part) < 0.5 ? 0.0 : part);  // never "-0 %"
}

std::string DescribeSaving(std::optional<Usd> cost, std::optional<Usd> baseline) {
  if (!cost || !baseline) return "";
  const Usd saved = *baseline - *cost;
  if (saved.value() == 0) return "saves nothing";
  if (saved.value() < 0) {
    return absl::StrCat("costs ", ShowMoney(Usd(-saved.value())), " more (",
                        SavedPercent(*cost, *baseline), ")");
  }
  return absl::StrCat("saves ", ShowMoney(saved), " (", SavedPercent(*cost, *baseline), ")");
}

}  // namespace spillway::cli
