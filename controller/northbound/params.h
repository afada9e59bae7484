#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "controller/archive.h"
#include "formats/api_json.h"
#include "net/http.h"

// Query parameters, read as strictly as bodies: an unknown name, a name given twice where one value
// is meant, or a value that makes no sense is refused, with all that is wrong at once.
namespace spillway {

class Params {
 public:
  // `known`: the names that this path takes.
  Params(const HttpRequest& request, std::initializer_list<std::string_view> known);

  bool Has(std::string_view name) const;
  std::optional<std::string> Text(std::string_view name);
  // "a,b" and name=a&name=b mean the same.
  std::vector<std::string> List(std::string_view name);
  bool Flag(std::string_view name);  // true or false; absent: false
  std::optional<std::int64_t> Whole(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<absl::Time> Time(std::string_view name);
  SortOrder Order();  // order=asc|desc; absent: desc
  int Limit();        // limit=1..100; absent: 20

  // `name` is not what it can be: the next call of Refused() says so.
  void Refuse(std::string_view name, std::string detail);
  // A problem if anything was refused so far; ask after the last read.
  std::optional<HttpResponse> Refused() const;

 private:
  const HttpRequest& request_;
  std::vector<ProblemPart> errors_;
};

}  // namespace spillway
