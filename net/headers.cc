#include "net/headers.h"

#include "net/chars.h"

namespace spillway {

Headers::Headers(std::initializer_list<Field> fields) {
  for (const Field& field : fields) Add(field.name, field.value);
}

void Headers::Add(std::string_view name, std::string_view value) {
  constexpr std::size_t kUsual = 256;  // bytes of a small head
  if (text_.empty()) text_.reserve(kUsual);
  const auto append = [&](std::string_view part, std::uint32_t* at, std::uint32_t* size) {
    *at = static_cast<std::uint32_t>(text_.size());
    *size = static_cast<std::uint32_t>(part.size());
    text_.append(part);
  };
  Span span;
  append(name, &span.name_at, &span.name_size);
  append(value, &span.value_at, &span.value_size);
  spans_.push_back(span);
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  // The text stays where it is: removing is rare and the list short-lived.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    if (!chars::SameWord((*this)[i].name, name)) spans_[kept++] = spans_[i];
  }
  spans_.resize(kept);
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    if (const Field field = (*this)[i]; chars::SameWord(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string_view Headers::Get(std::string_view name) const { return Find(name).value_or(""); }

std::size_t Headers::Count(std::string_view name) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) count += chars::SameWord((*this)[i].name, name);
  return count;
}

Headers::Field Headers::operator[](std::size_t i) const {
  const Span& span = spans_[i];
  const std::string_view text = text_;
  return {text.substr(span.name_at, span.name_size), text.substr(span.value_at, span.value_size)};
}

bool SafeField(std::string_view name, std::string_view value) {
  return !name.empty() && chars::AllAre(name, chars::kToken) &&
         chars::AllAre(value, chars::kFieldByte) && chars::Trim(value).size() == value.size();
}

}  // namespace spillway
