#include "controller/northbound/params.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "controller/northbound/problems.h"
#include "core/text.h"
#include "formats/units.h"

namespace spillway {

Params::Params(const HttpRequest& request, std::initializer_list<std::string_view> known)
    : request_(request) {
  for (const QueryParam& param : request.query) {
    if (std::find(known.begin(), known.end(), param.name) != known.end()) continue;
    const std::string near = NearestWord(param.name, known);
    Refuse(param.name, near.empty() ? std::string("is no parameter of this path")
                                    : absl::StrCat("is no parameter of this path (did you mean `",
                                                   near, "`?)"));
  }
}

bool Params::Has(std::string_view name) const { return request_.Query(name).has_value(); }

std::optional<std::string> Params::Text(std::string_view name) {
  std::optional<std::string> text;
  for (const QueryParam& param : request_.query) {
    if (param.name != name) continue;
    if (text) Refuse(name, "is given twice");
    text = param.value;
  }
  if (text && text->empty()) {
    Refuse(name, "is empty");
    text.reset();
  }
  return text;
}

std::vector<std::string> Params::List(std::string_view name) {
  constexpr std::size_t kMost = 32;
  std::vector<std::string> list;
  for (const QueryParam& param : request_.query) {
    if (param.name != name) continue;
    for (absl::string_view part : absl::StrSplit(param.value, ',')) {
      if (part.empty()) Refuse(name, "has an empty entry");
      list.emplace_back(part);
    }
  }
  if (list.size() > kMost) {
    Refuse(name, absl::StrCat("has ", list.size(), " entries, at most ", kMost, " are taken"));
    list.clear();
  }
  return list;
}

bool Params::Flag(std::string_view name) {
  const auto text = Text(name);
  if (text && *text != "true" && *text != "false")
    Refuse(name, absl::StrCat("is `", *text, "`, not true or false"));
  return text == "true";
}

std::optional<std::int64_t> Params::Whole(std::string_view name, std::int64_t least,
                                          std::int64_t most) {
  const auto text = Text(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  if (absl::SimpleAtoi(*text, &number) && number >= least && number <= most) return number;
  Refuse(name, absl::StrCat("is `", *text, "`, not a whole number from ", least, " to ", most));
  return std::nullopt;
}

std::optional<absl::Time> Params::Time(std::string_view name) {
  const auto text = Text(name);
  if (!text) return std::nullopt;
  const auto time = ParseTime(*text);
  if (time.ok()) return *time;
  Refuse(name, std::string(time.status().message()));
  return std::nullopt;
}

SortOrder Params::Order() {
  const auto text = Text("order");
  if (text && *text != "asc" && *text != "desc")
    Refuse("order", absl::StrCat("is `", *text, "`, not asc or desc"));
  return text == "asc" ? SortOrder::kOldestFirst : SortOrder::kNewestFirst;
}

int Params::Limit() { return static_cast<int>(Whole("limit", 1, 100).value_or(20)); }

void Params::Refuse(std::string_view name, std::string detail) {
  constexpr std::size_t kMost = 20;
  if (errors_.size() < kMost)
    errors_.push_back({absl::StrCat("/query/", ToAbsl(name)), std::move(detail)});
}

std::optional<HttpResponse> Params::Refused() const {
  if (errors_.empty()) return std::nullopt;
  ProblemDetails details{.detail = {}, .errors = errors_};
  details.detail = absl::StrCat(errors_[0].pointer.substr(7), " ", errors_[0].detail);
  return ProblemAnswer(request_, ProblemCode::kInvalidParameter, std::move(details));
}

}  // namespace spillway
