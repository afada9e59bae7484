#include "net/headers.h"

#include <utility>

#include "net/chars.h"
#include "net/recycle.h"

namespace spillway {
namespace {

constexpr std::size_t kKept = 128;            // lists of each thread
constexpr std::size_t kLongHead = 16 * 1024;  // bytes: the memory of longer ones is not kept

}  // namespace

// ---- memory -------------------------------------------------------------------------------------

Headers::List& Headers::MutableList() {
  constexpr std::size_t kUsual = 512;  // bytes of a small head
  if (list_) return *list_;
  list_ = Spares<std::unique_ptr<List>, kKept>::Take();
  if (!list_) {
    list_ = std::make_unique<List>();
    list_->text.reserve(kUsual);
  }
  return *list_;
}

void Headers::GiveBack() {
  if (!list_) return;
  if (list_->text.capacity() > kLongHead) return list_.reset();
  list_->text.clear();
  list_->spans.clear();
  Spares<std::unique_ptr<List>, kKept>::Give(std::move(list_));
  list_.reset();
}

Headers::Headers(std::initializer_list<Field> fields) {
  for (const Field& field : fields) Add(field.name, field.value);
}

Headers::Headers(std::string_view text, const Spans& spans) {
  List& list = MutableList();
  list.text = text;
  list.spans = spans;
}

Headers::Headers(const Headers& other) { *this = other; }

Headers& Headers::operator=(const Headers& other) {
  if (this == &other) return *this;
  if (!other.list_) {
    GiveBack();
    return *this;
  }
  List& list = MutableList();
  list.text = other.list_->text;
  list.spans = other.list_->spans;
  return *this;
}

Headers& Headers::operator=(Headers&& other) noexcept {
  std::swap(list_, other.list_);
  other.GiveBack();
  return *this;
}

Headers::~Headers() { GiveBack(); }

// ---- fields -------------------------------------------------------------------------------------

void Headers::Add(std::string_view name, std::string_view value) {
  List& list = MutableList();
  const auto append = [&](std::string_view part, std::uint32_t* at, std::uint32_t* size) {
    *at = static_cast<std::uint32_t>(list.text.size());
    *size = static_cast<std::uint32_t>(part.size());
    list.text.append(part);
  };
  Span span;
  append(name, &span.name_at, &span.name_size);
  append(value, &span.value_at, &span.value_size);
  list.spans.push_back(span);
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  if (!list_) return;
  // The text stays where it is: removing is rare and the list short-lived.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!chars::SameWord((*this)[i].name, name)) list_->spans[kept++] = list_->spans[i];
  }
  list_->spans.resize(kept);
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  if (!list_) return std::nullopt;
  const char* const text = list_->text.data();
  for (const Span& span : list_->spans) {
    if (span.name_size == name.size() && chars::SameWord({text + span.name_at, name.size()}, name))
      return std::string_view(text + span.value_at, span.value_size);
  }
  return std::nullopt;
}

std::string_view Headers::Get(std::string_view name) const { return Find(name).value_or(""); }

std::size_t Headers::Count(std::string_view name) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size(); ++i) count += chars::SameWord((*this)[i].name, name);
  return count;
}

Headers::Field Headers::operator[](std::size_t i) const {
  const Span& span = list_->spans[i];
  const std::string_view text = list_->text;
  return {text.substr(span.name_at, span.name_size), text.substr(span.value_at, span.value_size)};
}

bool SafeField(std::string_view name, std::string_view value) {
  return !name.empty() && chars::AllAre(name, chars::kToken) &&
         chars::AllAre(value, chars::kFieldByte) && chars::Trim(value).size() == value.size();
}

}  // namespace spillway
