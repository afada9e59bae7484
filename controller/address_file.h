#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace spillway {

// DIR/address: where the controller listens, as one line ("http://127.0.0.1:8080"), written whole
// by a rename and there only while it is ready. Scripts wait for it.
class AddressFile {
 public:
  explicit AddressFile(const std::string& state_dir) : path_(state_dir + "/address") {}
  ~AddressFile() { Remove(); }
  AddressFile(const AddressFile&) = delete;
  AddressFile& operator=(const AddressFile&) = delete;

  absl::Status Write(const std::string& address);
  void Remove();  // also one that a controller left behind that was killed

 private:
  const std::string path_;
};

}  // namespace spillway
