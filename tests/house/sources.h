#pragma once

#include <string>
#include <vector>

// The text of the project, as the house's own tests read it.
namespace spillway::house {

struct SourceFile {
  std::string path;  // from the root: "core/units.h"
  std::string room;  // "core"; "adapters/process" for the second level of rooms that have one
  std::vector<std::string> lines;
  bool is_header() const { return path.ends_with(".h"); }
};

struct Include {
  int line = 0;        // from 1
  std::string target;  // "core/units.h", "vector"
  bool quoted = false;
};

// Every .h and .cc below these folders of the root, by path; folders of packages are left out.
std::vector<SourceFile> SourcesIn(const std::vector<std::string>& folders);
// The folders that make up the program.
const std::vector<std::string>& Rooms();

// A whole file of any kind, by its path from the root; "" if it cannot be read.
std::string TextOf(const std::string& path);
std::vector<Include> IncludesOf(const SourceFile& file);
// A line without its comment and without what stands in double quotes.
std::string CodeOf(const std::string& line);

}  // namespace spillway::house
