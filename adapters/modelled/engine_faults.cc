#include "adapters/modelled/engine_faults.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/modelled/engine_text.h"
#include "core/status.h"
#include "formats/json_writer.h"
#include "formats/reader.h"

namespace spillway {
namespace {

constexpr std::uint64_t kDraws = 0x6661756c7473;  // apart from the draws of lengths and words

struct Part {
  EngineFault fault;
  std::string_view name;
  double EngineFaults::*fraction;
};
constexpr Part kParts[] = {{EngineFault::kError, "error", &EngineFaults::error},
                           {EngineFault::kStall, "stall", &EngineFaults::stall},
                           {EngineFault::kDrop, "drop", &EngineFaults::drop},
                           {EngineFault::kTruncate, "truncate", &EngineFaults::truncate},
                           {EngineFault::kLie, "lie", &EngineFaults::lie}};

void ReadFraction(const Place& at, double& out) {
  double value = 0;
  const std::size_t before = at.reading().error().size();
  Read(at, value);
  if (at.reading().error().size() != before) return;
  if (value > 1) return at.Fail("wants a fraction from 0 to 1");
  out = value;
}

absl::StatusOr<EngineFaults> FromTree(const Value& tree) {
  Reading reading;
  EngineFaults faults;
  const Place root(tree, reading);
  ObjectReader r(root, "a set of faults");
  for (const Part& part : kParts) r.Optional(part.name, faults.*part.fraction, ReadFraction);
  r.Optional("slow_start", faults.slow_start);
  if (r.is_map()) r.Finish();
  double sum = 0;
  for (const Part& part : kParts) sum += faults.*part.fraction;
  if (reading.ok() && sum > 1) root.Fail("the fractions are more than 1 together");
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return faults;
}

}  // namespace

absl::StatusOr<EngineFaults> ParseEngineFaults(std::string_view json) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value tree, ParseJson(json));
  return FromTree(tree);
}

absl::StatusOr<EngineFaults> EngineFaultsOf(const std::vector<std::string>& words) {
  Value tree = Value::MakeMap();
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return absl::InvalidArgumentError(
          absl::StrCat("`", word, "` is no fault: write NAME=VALUE, stall=0.1"));
    const std::string value = word.substr(equals + 1);
    // A number as JSON has it, else text: a span of time, or what the reader will complain about.
    auto number = ParseJson(value);
    const bool is_number = number.ok() && number->is_number();
    tree.Set(word.substr(0, equals), is_number ? *std::move(number) : Value::MakeString(value));
  }
  return FromTree(tree);
}

std::string EngineFaultsJson(const EngineFaults& faults) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject();
  for (const Part& part : kParts) w.Member(part.name, faults.*part.fraction);
  const double seconds = absl::ToDoubleSeconds(faults.slow_start);
  w.Member("slow_start", absl::StrCat(seconds, "s")).EndObject();
  return out;
}

EngineFault FaultFor(const EngineFaults& faults, std::uint64_t seed, std::uint64_t number) {
  double left = modelled::FractionOf(modelled::Mix(seed ^ kDraws, number));
  for (const Part& part : kParts) {
    const double fraction = faults.*part.fraction;
    if (left < fraction) return part.fault;
    left -= fraction;
  }
  return EngineFault::kNone;
}

}  // namespace spillway
