#include "formats/findings.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "core/text.h"

namespace spillway {
namespace {

constexpr char kPayload[] = "spillway/input-findings";

// Four fields a finding, lengths in front, so that any byte may stand in a detail.
void AppendField(std::string& out, std::string_view field) {
  absl::StrAppend(&out, field.size(), ":", ToAbsl(field));
}
std::optional<std::string> TakeField(std::string_view& rest) {
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::size_t size = 0;
  if (!absl::SimpleAtoi(ToAbsl(rest.substr(0, colon)), &size)) return std::nullopt;
  if (rest.size() - colon - 1 < size) return std::nullopt;
  std::string field(rest.substr(colon + 1, size));
  rest.remove_prefix(colon + 1 + size);
  return field;
}
std::optional<InputFinding> TakeFinding(std::string_view& rest) {
  InputFinding finding;
  const auto pointer = TakeField(rest), line = TakeField(rest), column = TakeField(rest),
             detail = TakeField(rest);
  if (!pointer || !line || !column || !detail) return std::nullopt;
  if (!absl::SimpleAtoi(*line, &finding.line)) return std::nullopt;
  if (!absl::SimpleAtoi(*column, &finding.column)) return std::nullopt;
  finding.pointer = *pointer;
  finding.detail = *detail;
  return finding;
}

}  // namespace

void InputError::Add(InputFinding finding) {
  if (findings_.size() < kMaxFindings) {
    findings_.push_back(std::move(finding));
  } else {
    ++dropped_;
  }
}

absl::Status InputError::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::string message, payload;
  for (const InputFinding& finding : findings_) {
    if (!message.empty()) message += '\n';
    message += Describe(finding, name_);
    AppendField(payload, finding.pointer);
    AppendField(payload, std::to_string(finding.line));
    AppendField(payload, std::to_string(finding.column));
    AppendField(payload, finding.detail);
  }
  if (dropped_ > 0) absl::StrAppend(&message, "\nand ", dropped_, " more");
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kPayload, absl::Cord(payload));
  return status;
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::string shown(text.substr(0, kMost));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return absl::StrCat("`", shown, text.size() > kMost ? "..." : "", "`");
}

std::string Describe(const InputFinding& finding, std::string_view name) {
  std::string where = finding.pointer;
  if (!name.empty()) {
    where = std::string(name);
    if (finding.line > 0) absl::StrAppend(&where, ":", finding.line, ":", finding.column);
  } else if (where.empty() && finding.line > 0) {
    where = absl::StrCat("line ", finding.line, ", column ", finding.column);
  }
  return where.empty() ? finding.detail : absl::StrCat(where, ": ", finding.detail);
}

std::vector<InputFinding> FindingsOf(const absl::Status& status) {
  std::vector<InputFinding> findings;
  const auto payload = status.GetPayload(kPayload);
  if (!payload) return findings;
  const std::string text(*payload);
  std::string_view rest = text;
  while (!rest.empty()) {
    auto finding = TakeFinding(rest);
    if (!finding) break;
    findings.push_back(*std::move(finding));
  }
  return findings;
}

}  // namespace spillway
