// Boost.JSON checks the text and unescapes it; what it does not tell, where each value stood and
// how each number was written, is found by walking the same text beside it.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/findings.h"
#include "formats/number_text.h"
#include "formats/value.h"

namespace spillway {
namespace {

namespace json = boost::json;

// Offsets to lines, asked for in rising order.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  Mark At(std::size_t offset) {
    for (; at_ < offset && at_ < text_.size(); ++at_) {
      if (text_[at_] != '\n') continue;
      ++line_;
      line_start_ = at_ + 1;
    }
    return {line_, static_cast<std::uint32_t>(offset - line_start_ + 1),
            static_cast<std::uint32_t>(offset)};
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
};

// Steps from token to token of a text whose tokens the parser has already accepted.
class TokenWalk {
 public:
  explicit TokenWalk(std::string_view text) : text_(text), lines_(text) {}

  // To the start of the next value or key, which begins here.
  Mark Enter() {
    constexpr std::string_view kBetween = " \t\r\n,:]}";
    at_ = std::min(text_.find_first_not_of(kBetween, at_), text_.size());
    start_ = at_;
    return lines_.At(start_);
  }
  void SkipBracket() { ++at_; }
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  std::string_view SkipWord() {
    constexpr std::string_view kAfter = " \t\r\n,]}";
    at_ = std::min(text_.find_first_of(kAfter, at_), text_.size());
    return text_.substr(start_, at_ - start_);
  }

 private:
  std::string_view text_;
  LineCounter lines_;
  std::size_t at_ = 0, start_ = 0;
};

// What Boost.JSON calls while it reads. Answers false, with its own reason, where a bound is
// passed.
class TreeBuilder {
 public:
  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = std::size_t(-1);
  constexpr static std::size_t max_string_size = std::size_t(-1);

  TreeBuilder(std::string_view text, const TextLimits& limits) : walk_(text), limits_(limits) {}

  Value TakeRoot() { return std::move(root_); }
  const std::string& why() const { return why_; }
  Mark where() const { return where_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code& ec) { return Open(Value::MakeList(), ec); }
  bool on_object_begin(json::error_code& ec) { return Open(Value::MakeMap(), ec); }
  bool on_array_end(std::size_t, json::error_code&) { return Close(); }
  bool on_object_end(std::size_t, json::error_code& ec) {
    return NoKeyTwice(open_.back()->map(), ec) && Close();
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return Keep(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    Keep(part);
    const Mark mark = walk_.Enter();
    walk_.SkipString();
    return Put(Value::MakeString(std::exchange(part_, {})), mark, ec);
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return Keep(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    Keep(part);
    key_mark_ = walk_.Enter();
    walk_.SkipString();
    key_ = std::exchange(part_, {});
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  // The digits are read from the text: the parser's doubles may be off in the last place.
  bool on_int64(std::int64_t, json::string_view, json::error_code& ec) { return Number(ec); }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) { return Number(ec); }
  bool on_double(double, json::string_view, json::error_code& ec) { return Number(ec); }
  bool on_bool(bool value, json::error_code& ec) { return Word(Value::MakeBool(value), ec); }
  bool on_null(json::error_code& ec) { return Word(Value(), ec); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool Refuse(Mark mark, std::string why, json::error_code& ec) {
    why_ = std::move(why);
    where_ = mark;
    ec = json::error::syntax;
    return false;
  }
  bool Keep(json::string_view part) {
    part_.append(part.data(), part.size());
    return true;
  }
  bool Put(Value value, Mark mark, json::error_code& ec) {
    if (++nodes_ > limits_.nodes) {
      return Refuse(mark, absl::StrCat("more than ", limits_.nodes, " values"), ec);
    }
    value.set_mark(mark);
    if (open_.empty()) {
      root_ = std::move(value);
      last_ = &root_;
    } else if (open_.back()->is_list()) {
      last_ = &open_.back()->Append(std::move(value));
    } else {
      Value::Map& members = open_.back()->map();
      members.push_back({std::move(key_), key_mark_, std::move(value)});
      last_ = &members.back().value;
    }
    return true;
  }
  // A pointer to an open value stays good: its parent grows again only after it is closed.
  bool Open(Value value, json::error_code& ec) {
    const Mark mark = walk_.Enter();
    walk_.SkipBracket();
    if (!Put(std::move(value), mark, ec)) return false;
    open_.push_back(last_);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Word(Value value, json::error_code& ec) {
    const Mark mark = walk_.Enter();
    walk_.SkipWord();
    return Put(std::move(value), mark, ec);
  }
  bool Number(json::error_code& ec) {
    const Mark mark = walk_.Enter();
    const std::string_view text = walk_.SkipWord();
    if (text.size() > limits_.number_length) {
      return Refuse(mark, absl::StrCat("a number of ", text.size(), " characters"), ec);
    }
    auto number = NumberFromText(text);
    if (!number) {
      return Refuse(mark, absl::StrCat("number ", ToAbsl(text), " is too large"), ec);
    }
    return Put(*std::move(number), mark, ec);
  }
  bool NoKeyTwice(const Value::Map& members, json::error_code& ec) {
    if (const Member* twice = FindDuplicateKey(members)) {
      return Refuse(twice->mark, absl::StrCat("key `", twice->key, "` stands here twice"), ec);
    }
    return true;
  }

  TokenWalk walk_;
  TextLimits limits_;
  Value root_;
  Value* last_ = nullptr;
  std::vector<Value*> open_;
  std::string part_, key_, why_;
  Mark key_mark_, where_;
  std::size_t nodes_ = 0;
};

std::string Reason(json::error_code ec, const TextLimits& limits) {
  if (ec == json::error::too_deep) {
    return absl::StrCat("lists and maps stand in each other more than ", limits.depth, " deep");
  }
  if (ec == json::error::incomplete) return "the text ends too early";
  if (ec == json::error::extra_data) return "something stands after the end of the value";
  return absl::StrCat("not valid JSON: ", ec.message());
}

absl::Status Refusal(std::string_view name, Mark mark, std::string detail) {
  InputError error{std::string(name)};
  error.Add({"", mark.line, mark.column, std::move(detail)});
  return error.ToStatus();
}

}  // namespace

absl::StatusOr<Value> ParseJson(std::string_view text, const TextLimits& limits,
                                std::string_view name) {
  if (text.size() > limits.bytes) {
    return Refusal(name, {},
                   absl::StrCat("the text is ", text.size(), " bytes long, at most ", limits.bytes,
                                " are taken"));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Refusal(name, {1, 1, 0}, "the text is empty");
  }
  try {
    json::parse_options options;
    options.max_depth = static_cast<std::size_t>(limits.depth);
    json::basic_parser<TreeBuilder> parser(options, text, limits);
    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    TreeBuilder& builder = parser.handler();
    if (!ec && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
      ec = json::error::extra_data;
    }
    if (!ec) return builder.TakeRoot();
    if (!builder.why().empty()) return Refusal(name, builder.where(), builder.why());
    return Refusal(name, LineCounter(text).At(used), Reason(ec, limits));
  } catch (const std::exception& e) {  // out of memory at most
    return absl::ResourceExhaustedError(absl::StrCat("reading JSON: ", e.what()));
  }
}

}  // namespace spillway
