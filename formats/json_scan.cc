#include "formats/json_scan.h"

namespace spillway {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four hexadecimal digits at `at`; -1 if they are not that.
int Unit(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(at[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool IsHigh(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLow(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

// Gives the bytes that a checked string means, one at a time.
class Resolver {
 public:
  explicit Resolver(std::string_view raw) : at_(raw.data()), end_(at_ + raw.size()) {}

  // False at the end, or at a surrogate without its partner.
  bool Next(char* byte) {
    if (left_ == 0 && !Fill()) return false;
    *byte = code_[--left_];
    return true;
  }
  bool broken() const { return broken_; }

 private:
  const char* at_;
  const char* end_;
  char code_[4] = {};  // the bytes of one character, the last one first
  int left_ = 0;
  bool broken_ = false;

  bool Fill() {
    if (broken_ || at_ == end_) return false;
    if (*at_ != '\\') return One(*at_++);
    ++at_;
    const char c = *at_++;
    switch (c) {
      case 'b':
        return One('\b');
      case 'f':
        return One('\f');
      case 'n':
        return One('\n');
      case 'r':
        return One('\r');
      case 't':
        return One('\t');
      case 'u':
        return Unicode();
      default:
        return One(c);
    }
  }
  bool One(char c) {
    code_[0] = c;
    left_ = 1;
    return true;
  }
  bool Unicode() {
    int code = Unit(at_, end_);
    at_ += 4;
    broken_ = IsLow(code);
    if (IsHigh(code)) {
      const bool more = end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u';
      const int low = more ? Unit(at_ + 2, end_) : -1;
      broken_ = !IsLow(low);
      if (!broken_) {
        at_ += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    if (broken_) return false;
    Encode(code);
    return true;
  }
  void Encode(int code) {
    if (code < 0x80) {
      code_[left_++] = static_cast<char>(code);
      return;
    }
    int lead = 0x1f;  // the largest value that the first byte still takes
    int mark = 0xc0;
    do {
      code_[left_++] = static_cast<char>(0x80 | (code & 0x3f));
      code >>= 6;
      if (code <= lead) break;
      lead >>= 1;
      mark = (mark >> 1) | 0x80;
    } while (true);
    code_[left_++] = static_cast<char>(mark | code);
  }
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

template <class Same>
bool Compare(const JsonText& text, std::string_view name, Same same) {
  if (text.bytes != name.size()) return false;
  Resolver resolver(text.raw);
  char byte = 0;
  for (const char c : name) {
    if (!resolver.Next(&byte) || !same(byte, c)) return false;
  }
  return !resolver.Next(&byte);
}

}  // namespace

std::optional<std::string> ResolveJsonText(const JsonText& text) {
  std::string out;
  out.reserve(text.bytes);
  Resolver resolver(text.raw);
  for (char byte = 0; resolver.Next(&byte);) out.push_back(byte);
  if (resolver.broken()) return std::nullopt;
  return out;
}

bool SameJsonText(const JsonText& text, std::string_view name) {
  if (!text.escaped()) return text.raw == name;
  return Compare(text, name, [](char a, char b) { return a == b; });
}

bool SimilarJsonText(const JsonText& text, std::string_view name) {
  return Compare(text, name, [](char a, char b) { return Lower(a) == Lower(b); });
}

// At a backslash. Half of a surrogate pair counts two bytes of the pair's four.
bool JsonCursor::Escape(std::size_t* bytes) {
  ++at_;
  if (at_ == end_) return Fail("a string does not end");
  const char c = *at_;
  if (c != 'u') {
    if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      return Fail("a backslash escapes nothing known");
    }
    ++at_;
    ++*bytes;
    return true;
  }
  const int unit = Unit(at_ + 1, end_);
  if (unit < 0) return Fail("\\u needs four hexadecimal digits");
  *bytes += unit < 0x80 ? 1 : unit < 0x800 || IsHigh(unit) || IsLow(unit) ? 2 : 3;
  at_ += 5;
  return true;
}

bool JsonCursor::Word(std::string_view word) {
  const bool there = static_cast<std::size_t>(end_ - at_) >= word.size() &&
                     std::memcmp(at_, word.data(), word.size()) == 0;
  if (!there) return Fail("expected a value");
  at_ += word.size();
  return true;
}

bool JsonCursor::Digits() {
  const char* const start = at_;
  while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
  return at_ != start || Fail("a number lacks digits");
}

bool JsonCursor::Number(std::string_view* text) {
  if (failed()) return false;
  const char first = Peek();
  const char* const start = at_;
  if (first != '-' && (first < '0' || first > '9')) return Fail("expected a number");
  Take('-');
  if (!Take('0') && !Digits()) return false;
  if (Take('.') && !Digits()) return false;
  if (Take('e') || Take('E')) {
    if (!Take('+')) Take('-');
    if (!Digits()) return false;
  }
  *text = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

bool JsonCursor::Skip() {
  JsonText text;
  std::string_view number;
  if (failed()) return false;
  switch (Peek()) {
    case '"':
      return String(&text);
    case '{':
      return Object([this](const JsonText&) { return Skip(); });
    case '[':
      return Array([this] { return Skip(); });
    case 't':
      return Word("true");
    case 'f':
      return Word("false");
    case 'n':
      return Word("null");
    default:
      if (at_ == end_) return Fail("it ends too early");
      return *at_ == '-' || (*at_ >= '0' && *at_ <= '9') ? Number(&number)
                                                         : Fail("expected a value");
  }
}

}  // namespace spillway
