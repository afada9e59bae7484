// What Gavel measured: the rates of training classes are its figures, and its finding holds for
// jobs that this room times: no order of devices holds for all of them, least of all by price.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "formats/catalog_file.h"
#include "performance/job_speed.h"

namespace spillway {
namespace {

const std::string kCatalog = SPILLWAY_SOURCE_DIR "/configs/catalog";

// Steps a second, by job and device.
std::map<std::string, std::map<std::string, double>> Measured() {
  static const std::map<std::string, std::string> kDevices = {
      {"k80", "nvidia-k80-12g"}, {"p100", "nvidia-p100-16g"}, {"v100", "nvidia-v100-16g"}};
  std::map<std::string, std::map<std::string, double>> out;
  std::ifstream file(kCatalog + "/measured/gavel_one_worker.csv");
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    std::istringstream row(line);
    std::string device, job, steps;
    std::getline(row, device, ',');
    std::getline(row, job, ',');
    std::getline(row, steps, ',');
    out[job][kDevices.at(device)] = std::stod(steps);
  }
  return out;
}

struct Case {
  std::string work_class, job;
  double batch;
};
const Case kClasses[] = {{"train-resnet50", "ResNet-50 (batch size 128)", 128},
                         {"train-recommender", "Recommendation (batch size 512)", 512},
                         {"train-resnet18", "ResNet-18 (batch size 128)", 128},
                         {"train-translator", "Transformer (batch size 128)", 128},
                         {"train-language-model", "LM (batch size 20)", 20},
                         {"train-image-translator", "CycleGAN", 1},
                         {"train-game-player", "A3C", 1}};

TEST(Gavel, RatesOfTheCatalogueAreItsFigures) {
  const auto catalog = LoadCatalog(kCatalog);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const auto measured = Measured();
  for (const Case& c : kClasses) {
    for (const auto& [device, steps] : measured.at(c.job)) {
      SCOPED_TRACE(c.work_class + " on " + device);
      const ClassRate& rate = catalog->classes.at(c.work_class).rates.at(device);
      EXPECT_TRUE(rate.measured);
      EXPECT_NEAR(rate.units_per_second / (steps * c.batch), 1, 0.01);
    }
  }
}

// How long 1,000 steps take, by the catalogue, on one device.
double SecondsOn(const Catalog& catalog, const Case& c, const std::string& device) {
  const SpeedBook book(catalog);
  PoolSpec pool;
  pool.device = device;
  pool.kind = DeviceKind::kGpu;
  Needs needs;
  needs.devices.count = 1;
  const SizedDemand demand = Resolve(ClassUnits{c.work_class, 1000 * c.batch}, book,
                                     [](std::string_view) { return nullptr; });
  return absl::ToDoubleSeconds(LengthOf(demand, needs, book.SpeedOf(pool), absl::Hours(1)).p50);
}

TEST(Gavel, JobsTakeAsLongAsItsStepsSay) {
  const auto catalog = LoadCatalog(kCatalog);
  ASSERT_TRUE(catalog.ok());
  const auto measured = Measured();
  for (const Case& c : kClasses) {
    for (const auto& [device, steps] : measured.at(c.job)) {
      EXPECT_NEAR(SecondsOn(*catalog, c, device) * steps / 1000, 1, 0.01) << c.job << device;
    }
  }
}

// At the spot prices of its source. The published counts: P100 13, K80 11, V100 2; the best device
// does 2.62 times a V100's work for a dollar on average, 8.3 times at most.
TEST(Gavel, TheCheapestDeviceIsSeldomTheFastest) {
  const std::map<std::string, double> prices = {
      {"nvidia-k80-12g", 0.135}, {"nvidia-p100-16g", 0.43}, {"nvidia-v100-16g", 0.74}};
  std::map<std::string, int> cheapest;
  double sum = 0, most = 0;
  const auto measured = Measured();
  ASSERT_EQ(measured.size(), 26u);
  for (const auto& [job, steps] : measured) {
    std::string best;
    double best_for_a_dollar = 0;
    for (const auto& [device, rate] : steps) {
      const double for_a_dollar = rate / prices.at(device);
      if (for_a_dollar <= best_for_a_dollar) continue;
      best_for_a_dollar = for_a_dollar;
      best = device;
    }
    ++cheapest[best];
    const double gain =
        best_for_a_dollar * prices.at("nvidia-v100-16g") / steps.at("nvidia-v100-16g");
    sum += gain;
    most = std::max(most, gain);
  }
  EXPECT_EQ(cheapest["nvidia-p100-16g"], 13);
  EXPECT_EQ(cheapest["nvidia-k80-12g"], 11);
  EXPECT_EQ(cheapest["nvidia-v100-16g"], 2);
  EXPECT_NEAR(sum / 26, 2.62, 0.005);
  EXPECT_NEAR(most, 8.3, 0.05);
}

}  // namespace
}  // namespace spillway
