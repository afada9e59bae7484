#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

// How fast a server of images, rankings or the like was measured to compute batches: the words of
// configs/catalog/batches.yaml.
namespace spillway {

struct BatchProfile {
  struct Point {
    int items = 0;          // in the batch; rising, > 0
    absl::Duration time{};  // > 0
    friend bool operator==(const Point&, const Point&) = default;
  };
  std::string work_class, device;  // of the catalogue
  // Batches that one device computes at once (its cores), each so fast when all of them do.
  int instances = 1;
  std::vector<Point> points;
  bool measured = true;  // false: scaled from another device by the rule in `source`
  std::string says, source, licence, as_of;
};

}  // namespace spillway
