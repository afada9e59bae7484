#include "cli/catalog_folder.h"

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spillway::cli {

absl::StatusOr<std::string> CatalogFolder(const std::string& said) {
  if (!said.empty()) return said;  // if it is wrong, its reader says so
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  std::vector<std::string> tried;
  for (fs::path above = program.parent_path(); !failed && !above.empty();
       above = above.parent_path()) {
    for (const char* below : {"share/spillway/catalog", "configs/catalog"}) {
      tried.push_back((above / below).string());
      if (fs::exists(above / below / "devices.yaml", failed)) return tried.back();
    }
    if (above == above.root_path()) break;
  }
  return absl::NotFoundError(absl::StrCat("no catalogue of devices: say --catalog DIR (looked at ",
                                          absl::StrJoin(tried, ", "), ")"));
}

}  // namespace spillway::cli
