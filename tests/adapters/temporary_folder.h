#pragma once

#include <fcntl.h>

#include <cstdlib>
#include <string>

#include "adapters/process/files.h"
#include "gtest/gtest.h"

namespace spillway {

// A folder that is there as long as this is.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "spillway-XXXXXX";
    path_ = mkdtemp(name.data());
    fd_.Reset(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~TemporaryFolder() { RemoveTree(AT_FDCWD, path_); }
  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace spillway
