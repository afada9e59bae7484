#pragma once

#include <bit>
#include <cstdint>

#include "core/names.h"

// Why a pool was not chosen, or was. A closed set: API answers, metrics and docs use exactly these.
namespace spillway {

enum class Code : std::uint8_t {
  // Cannot: the pool lacks what the work needs, or the policy never lets this work there.
  kCpus,
  kMemory,
  kDevices,
  kArch,
  kRuntime,
  kPrecision,
  kFeature,
  kConfidential,
  kModel,
  kSite,
  kLabel,
  kTenant,
  kRule,
  // Unavailable: it could, but not at present.
  kDown,
  kCordoned,
  kDraining,
  kQuota,
  kReserved,
  kUnpriced,
  // Money, time, and the rest of the story.
  kTooDear,
  kTooLate,
  kBusy,
  kOutranked,
  kChosen,
  kPinned,
  kBudget,  // unavailable, too: its tenant's budget is spent
};
inline constexpr EnumNames<Code, 26> kCodeNames{
    {{Code::kCpus, "cpus"},           {Code::kMemory, "memory"},
     {Code::kDevices, "devices"},     {Code::kArch, "arch"},
     {Code::kRuntime, "runtime"},     {Code::kPrecision, "precision"},
     {Code::kFeature, "feature"},     {Code::kConfidential, "confidential"},
     {Code::kModel, "model"},         {Code::kSite, "site"},
     {Code::kLabel, "label"},         {Code::kTenant, "tenant"},
     {Code::kRule, "rule"},           {Code::kDown, "down"},
     {Code::kCordoned, "cordoned"},   {Code::kDraining, "draining"},
     {Code::kQuota, "quota"},         {Code::kReserved, "reserved"},
     {Code::kUnpriced, "unpriced"},   {Code::kTooDear, "too_dear"},
     {Code::kTooLate, "too_late"},    {Code::kBusy, "busy"},
     {Code::kOutranked, "outranked"}, {Code::kChosen, "chosen"},
     {Code::kPinned, "pinned"},       {Code::kBudget, "budget"}}};
constexpr const auto& NamesOf(Code) { return kCodeNames; }

constexpr bool IsCannot(Code code) { return code <= Code::kRule; }
constexpr bool IsUnavailable(Code code) {
  return (code >= Code::kDown && code <= Code::kUnpriced) || code == Code::kBudget;
}

// A set of codes in 32 bits, walked in the order of the enumeration.
class CodeSet {
 public:
  constexpr CodeSet() = default;
  constexpr explicit CodeSet(std::uint32_t bits) : bits_(bits) {}
  constexpr void Add(Code code) { bits_ |= 1u << static_cast<unsigned>(code); }
  constexpr bool Has(Code code) const { return bits_ >> static_cast<unsigned>(code) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Code First() const { return static_cast<Code>(std::countr_zero(bits_)); }  // not empty
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool AnyCannot() const {
    return bits_ & ((1u << (static_cast<unsigned>(Code::kRule) + 1)) - 1);
  }
  friend constexpr CodeSet operator|(CodeSet a, CodeSet b) { return CodeSet(a.bits_ | b.bits_); }
  friend constexpr bool operator==(CodeSet, CodeSet) = default;
  template <class F>
  void ForEach(F f) const {
    for (std::uint32_t rest = bits_; rest != 0; rest &= rest - 1)
      f(static_cast<Code>(std::countr_zero(rest)));
  }

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace spillway
