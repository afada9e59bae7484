#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Reading JSON without building anything: a cursor that walks a text once and checks its structure
// (RFC 8259) on the way. For bodies of which a few fields matter; document.h reads whole ones.
namespace spillway {

// The inside of a JSON string, escapes checked and still in place.
struct JsonText {
  std::string_view raw;
  std::size_t bytes = 0;  // of UTF-8 once they are resolved
  bool escaped() const { return bytes != raw.size(); }
};

// What `text` means; none for a surrogate without its partner.
std::optional<std::string> ResolveJsonText(const JsonText& text);
// Whether it means `name`, without allocating.
bool SameJsonText(const JsonText& text, std::string_view name);
// The same but for the case of ASCII letters.
bool SimilarJsonText(const JsonText& text, std::string_view name);

// Every call that reads returns false at the first fault, and from then on. Not copied: nested
// callbacks share one.
class JsonCursor {
 public:
  static constexpr int kMaxDepth = 64;

  explicit JsonCursor(std::string_view text)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}
  JsonCursor(const JsonCursor&) = delete;
  JsonCursor& operator=(const JsonCursor&) = delete;

  // The first byte of the next value: `{ [ " t f n - 0..9`, or whatever stands there; 0 at the end.
  char Peek() {
    SkipSpace();
    return at_ < end_ ? *at_ : '\0';
  }
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  bool failed() const { return fault_ != nullptr; }
  const char* fault() const { return fault_; }
  bool Fail(const char* fault) {
    if (!fault_) fault_ = fault;
    return false;
  }

  // Each reads one value of its kind; another kind is a fault.
  bool String(JsonText* text);
  bool Number(std::string_view* text);
  bool Skip();  // any kind
  // `member(key)` reads the value: it calls one of these functions on the cursor.
  template <class F>
  bool Object(F&& member);
  // `element()` likewise.
  template <class F>
  bool Array(F&& element);
  // Nothing but blanks is left.
  bool AtEnd() {
    SkipSpace();
    return !failed() && (at_ == end_ || Fail("something follows the value"));
  }

 private:
  const char* const begin_;
  const char* at_;
  const char* const end_;
  const char* fault_ = nullptr;
  int depth_ = 0;

  void SkipSpace() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool Take(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool Word(std::string_view word);
  bool Escape(std::size_t* bytes);
  bool Digits();
  bool Open() { return ++depth_ <= kMaxDepth || Fail("nested deeper than 64"); }
  static const char* PlainEnd(const char* at, const char* end);
};

// The first quote, backslash or control character.
inline const char* JsonCursor::PlainEnd(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x1f);
  const auto marks = [&](const char* of) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(of));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, low), x);
    const __m128i either = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash));
    return _mm_or_si128(either, control);
  };
  // Long texts four steps at a time: whether there is one at all is asked once for 64 bytes.
  for (; end - at >= 64; at += 64) {
    const __m128i front = _mm_or_si128(marks(at), marks(at + 16));
    const __m128i back = _mm_or_si128(marks(at + 32), marks(at + 48));
    if (_mm_movemask_epi8(_mm_or_si128(front, back))) break;
  }
  for (; end - at >= 16; at += 16) {
    const int found = _mm_movemask_epi8(marks(at));
    if (found) return at + std::countr_zero(static_cast<unsigned>(found));
  }
#endif
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

inline bool JsonCursor::String(JsonText* text) {
  if (failed() || Peek() != '"') return Fail("expected a string");
  const char* const start = ++at_;
  std::size_t bytes = 0;
  for (;;) {
    const char* const plain = PlainEnd(at_, end_);
    bytes += static_cast<std::size_t>(plain - at_);
    at_ = plain;
    if (at_ == end_) return Fail("a string does not end");
    if (*at_ == '"') break;
    if (*at_ != '\\') return Fail("a control character stands in a string");
    if (!Escape(&bytes)) return false;
  }
  *text = {{start, static_cast<std::size_t>(at_ - start)}, bytes};
  ++at_;
  return true;
}

template <class F>
bool JsonCursor::Object(F&& member) {
  if (failed() || Peek() != '{') return Fail("expected an object");
  ++at_;
  if (!Open()) return false;
  SkipSpace();
  if (!Take('}')) {
    do {
      JsonText key;
      if (!String(&key)) return false;
      SkipSpace();
      if (!Take(':')) return Fail("expected `:` after a key");
      if (!member(static_cast<const JsonText&>(key)) || failed()) return Fail("bad member");
      SkipSpace();
    } while (Take(','));
    if (!Take('}')) return Fail("expected `,` or `}`");
  }
  --depth_;
  return true;
}

template <class F>
bool JsonCursor::Array(F&& element) {
  if (failed() || Peek() != '[') return Fail("expected an array");
  ++at_;
  if (!Open()) return false;
  SkipSpace();
  if (!Take(']')) {
    do {
      if (!element() || failed()) return Fail("bad element");
      SkipSpace();
    } while (Take(','));
    if (!Take(']')) return Fail("expected `,` or `]`");
  }
  --depth_;
  return true;
}

}  // namespace spillway
