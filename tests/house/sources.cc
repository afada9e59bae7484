#include "tests/house/sources.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

namespace spillway::house {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = SPILLWAY_SOURCE_DIR;

std::string RoomOf(const fs::path& relative) {
  auto part = relative.begin();
  const std::string first = part->string();
  const bool nested = first == "adapters" || first == "controller" || first == "policies";
  if (!nested || std::distance(relative.begin(), relative.end()) < 3) return first;
  return first + "/" + (++part)->string();
}

SourceFile Read(const fs::path& path) {
  SourceFile file{.path = path.lexically_relative(kRoot).string()};
  file.room = RoomOf(file.path);
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

}  // namespace

const std::vector<std::string>& Rooms() {
  static const auto& rooms =
      *new std::vector<std::string>{"core", "performance", "policies",   "scheduler", "formats",
                                    "net",  "adapters",    "controller", "simulator", "cli"};
  return rooms;
}

std::vector<SourceFile> SourcesIn(const std::vector<std::string>& folders) {
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (auto entry = fs::recursive_directory_iterator(kRoot / folder); entry != fs::end(entry);
         ++entry) {
      if (entry->path().filename() == "node_modules") entry.disable_recursion_pending();
      const std::string extension = entry->path().extension();
      if (entry->is_regular_file() && (extension == ".h" || extension == ".cc"))
        files.push_back(Read(entry->path()));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string TextOf(const std::string& path) {
  std::ifstream in(kRoot / path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Include> IncludesOf(const SourceFile& file) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(file.lines[i], match, pattern)) continue;
    includes.push_back({static_cast<int>(i + 1), match[2], match[1] == "\""});
  }
  return includes;
}

std::string CodeOf(const std::string& line) {
  std::string code;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      if (line.compare(i, 2, "//") == 0) break;
      code += line[i];
    }
  }
  return code;
}

}  // namespace spillway::house
