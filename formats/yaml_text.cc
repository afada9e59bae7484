// Reads YAML from yaml-cpp's events, never from its nodes: yaml-cpp 0.7 shares aliased nodes, keeps
// duplicate keys, dies on a walk of `a: &a [*a]`, and its LoadAll may loop for ever.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/text.h"
#include "formats/findings.h"
#include "formats/json_writer.h"
#include "formats/number_text.h"
#include "formats/value.h"

namespace spillway {
namespace {

// Thrown to leave yaml-cpp's parser; never leaves this file.
struct Refusal {
  Mark mark;
  std::string detail;
};

// yaml-cpp counts from 0 and gives -1 where it knows no place.
Mark ToMark(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1,
          0};
}

template <std::size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}
constexpr std::array<std::string_view, 3> kTrue{"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalse{"false", "False", "FALSE"};
// Booleans to the readers of YAML 1.1 that are in use, strings in 1.2.
constexpr std::array<std::string_view, 12> kDoubtful{"yes", "Yes", "YES", "no",  "No",  "NO",
                                                     "on",  "On",  "ON",  "off", "Off", "OFF"};

// Decimal numbers as in JSON, and with a `+`. `010` (eight or ten?) and `.5` are strings: where a
// number is meant they are refused.
bool LooksLikeNumber(std::string_view text) {
  return IsJsonNumber(text.starts_with('+') ? text.substr(1) : text);
}

Value FromPlain(const std::string& text, Mark mark, const TextLimits& limits) {
  if (IsOneOf(text, kTrue)) return Value::MakeBool(true);
  if (IsOneOf(text, kFalse)) return Value::MakeBool(false);
  if (LooksLikeNumber(text)) {
    if (text.size() > limits.number_length) {
      throw Refusal{mark, absl::StrCat("a number of ", text.size(), " characters")};
    }
    if (auto number = NumberFromText(text)) return *std::move(number);
    throw Refusal{mark, absl::StrCat("number ", text, " is too large")};
  }
  Value value = Value::MakeString(text);
  if (IsOneOf(std::string_view(text), kDoubtful)) value.set_doubtful();
  return value;
}

// One document at a time, from events to a tree.
class TreeEvents final : public YAML::EventHandler {
 public:
  TreeEvents(std::string_view text, const TextLimits& limits) : text_(text), limits_(limits) {}

  Value TakeDocument() { return std::exchange(root_, Value()); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp goes on with a "next document" wherever the first one cannot be read on.
    if (++documents_ > limits_.documents) {
      throw Refusal{ToMark(mark), absl::StrCat("more than ", limits_.documents, " documents")};
    }
    if (documents_ > 1 && !StartsDocument(mark)) {
      throw Refusal{ToMark(mark),
                    "something stands after the end of the document (documents are "
                    "separated by a line `---`)"};
    }
    anchors_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Put(Value(), ToMark(mark), anchor, true);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Refusal{ToMark(mark), "this alias stands inside the value that it names"};
    }
    Spend(found->second.nodes, ToMark(mark));
    Put(found->second.value, found->second.value.mark(), YAML::NullAnchor, false);
  }
  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const Mark mark = ToMark(at);
    const bool is_plain = tag == "?";
    if (!is_plain) CheckTag(tag, mark);
    // yaml-cpp 0.7 makes one raw byte of `\N` and of `\_`.
    if (!IsUtf8(text)) throw Refusal{mark, "an escape makes no valid UTF-8: use \\u"};
    if (is_plain && WantsKey()) return PutKey(text, mark, anchor, true);
    Put(is_plain ? FromPlain(text, mark, limits_) : Value::MakeString(text), mark, anchor, true);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Value::MakeList(), tag, ToMark(mark), anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Value::MakeMap(), tag, ToMark(mark), anchor);
  }
  void OnMapEnd() override {
    if (const Member* twice = FindDuplicateKey(open_.back().value->map())) {
      throw Refusal{twice->mark, absl::StrCat("key `", twice->key, "` stands here twice")};
    }
    Close();
  }

 private:
  struct Level {
    Value* value;  // stays good: its parent grows again only after it is closed
    YAML::anchor_t anchor;
    std::size_t nodes_before;
    std::optional<Member> key;  // of a map, while its value is awaited
  };
  struct Anchored {
    Value value;
    std::size_t nodes;
  };

  bool StartsDocument(const YAML::Mark& mark) const {
    std::size_t at = 0;
    for (int line = 0; line < mark.line && at != std::string_view::npos; ++line) {
      at = text_.find('\n', at);
      if (at != std::string_view::npos) ++at;
    }
    return at != std::string_view::npos && text_.substr(at).starts_with("---");
  }
  static void CheckTag(const std::string& tag, Mark mark) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    throw Refusal{mark, absl::StrCat("tag `", tag, "` is not supported")};
  }
  bool WantsKey() const {
    return !open_.empty() && open_.back().value->is_map() && !open_.back().key;
  }
  void PutKey(const std::string& text, Mark mark, YAML::anchor_t anchor, bool is_plain) {
    if (anchor != YAML::NullAnchor) throw Refusal{mark, "a key cannot be an anchor"};
    if (is_plain && text == "<<") {
      throw Refusal{mark, "merge keys (`<<`) are not supported: write the keys out"};
    }
    open_.back().key = Member{text, mark, {}};
  }
  // What aliases and the anchors that they may name add up to is bounded much lower than the text.
  void Spend(std::size_t nodes, Mark mark) {
    expanded_ += nodes;
    if (expanded_ > kMaxExpandedNodes) {
      throw Refusal{mark, absl::StrCat("anchors and aliases expand to more than ",
                                       kMaxExpandedNodes, " values")};
    }
    nodes_ += nodes;
  }
  void Remember(YAML::anchor_t anchor, const Value& value, std::size_t nodes) {
    if (anchor == YAML::NullAnchor) return;
    Spend(nodes, value.mark());
    anchors_[anchor] = {value, nodes};
  }
  Value* Put(Value value, Mark mark, YAML::anchor_t anchor, bool is_own) {
    if (WantsKey()) {
      if (!value.is_string() || !is_own) {
        throw Refusal{mark, "a key must be a word, not a list, a map, nothing or an alias"};
      }
      PutKey(value.string(), mark, anchor, false);
      return nullptr;
    }
    if (is_own && ++nodes_ > limits_.nodes) {
      throw Refusal{mark, absl::StrCat("more than ", limits_.nodes, " values")};
    }
    value.set_mark(mark);
    Value* placed = &root_;
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Level& parent = open_.back(); parent.value->is_list()) {
      placed = &parent.value->Append(std::move(value));
    } else {
      parent.key->value = std::move(value);
      parent.value->map().push_back(*std::exchange(parent.key, std::nullopt));
      placed = &parent.value->map().back().value;
    }
    const bool is_scalar = !placed->is_list() && !placed->is_map();
    if (is_own && is_scalar) Remember(anchor, *placed, 1);
    return placed;
  }
  void Open(Value value, const std::string& tag, Mark mark, YAML::anchor_t anchor) {
    CheckTag(tag, mark);
    if (open_.size() >= static_cast<std::size_t>(limits_.depth)) {
      throw Refusal{mark, absl::StrCat("lists and maps stand in each other more than ",
                                       limits_.depth, " deep")};
    }
    const std::size_t before = nodes_;
    Value* placed = Put(std::move(value), mark, anchor, true);
    open_.push_back({placed, anchor, before, std::nullopt});
  }
  void Close() {
    const Level level = std::move(open_.back());
    open_.pop_back();
    Remember(level.anchor, *level.value, nodes_ - level.nodes_before);
  }

  std::string_view text_;
  TextLimits limits_;
  Value root_;
  std::vector<Level> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;  // complete ones
  std::size_t nodes_ = 0, expanded_ = 0;
  std::size_t documents_ = 0;
};

// yaml-cpp's words, and what mostly lies behind them.
std::string Reason(const YAML::Exception& e) {
  if (e.msg == YAML::ErrorMsg::MAP_VALUE) {
    return "a `:` stands where none can: wrong indentation, or text with a `: ` that needs quotes";
  }
  if (e.msg == YAML::ErrorMsg::TAB_IN_INDENTATION) return "a tab in the indentation: use spaces";
  if (e.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR) return "this alias names no anchor above it";
  if (e.msg == YAML::ErrorMsg::BLOCK_ENTRY || e.msg == YAML::ErrorMsg::END_OF_MAP) {
    return absl::StrCat(e.msg, ": wrong indentation?");
  }
  return absl::StrCat("not valid YAML: ", e.msg);
}

// The parts of the check that need no parser.
std::optional<Refusal> CheckBytes(std::string_view text, const TextLimits& limits) {
  if (text.size() > limits.bytes) {
    return Refusal{{},
                   absl::StrCat("the text is ", text.size(), " bytes long, at most ", limits.bytes,
                                " are taken")};
  }
  std::uint32_t number = 0;
  for (absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    ++number;
    if (!IsUtf8(ToStd(line))) return Refusal{{number, 1, 0}, "not valid UTF-8"};
    const auto control = std::find_if(line.begin(), line.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f;
    });
    if (control == line.end()) continue;
    const auto column = static_cast<std::uint32_t>(control - line.begin()) + 1;
    return Refusal{{number, column, 0},
                   absl::StrCat("control character ", static_cast<int>(*control))};
  }
  return std::nullopt;
}

absl::Status ToStatus(const Refusal& refusal, std::string_view name) {
  InputError error{std::string(name)};
  error.Add({"", refusal.mark.line, refusal.mark.column, refusal.detail});
  return error.ToStatus();
}

}  // namespace

// Nothing but the word: of JSON, whose only empty value it is, and of YAML.
bool SaysNull(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first != text.npos && text.substr(first, last - first + 1) == "null";
}

absl::StatusOr<std::vector<Value>> ParseYamlDocuments(std::string_view text, std::string_view name,
                                                      const TextLimits& limits) {
  if (const auto refusal = CheckBytes(text, limits)) return ToStatus(*refusal, name);
  std::vector<Value> documents;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeEvents events(text, limits);
    while (parser.HandleNextDocument(events)) {
      Value document = events.TakeDocument();
      if (!document.is_null()) documents.push_back(std::move(document));
    }
  } catch (const Refusal& refusal) {
    return ToStatus(refusal, name);
  } catch (const YAML::Exception& e) {
    return ToStatus({ToMark(e.mark), Reason(e)}, name);
  } catch (const std::exception& e) {
    return absl::ResourceExhaustedError(absl::StrCat("reading YAML: ", e.what()));
  }
  if (documents.empty()) {
    if (SaysNull(text)) return ToStatus({{}, "is null, where a document is wanted"}, name);
    return ToStatus({{}, "the text is empty"}, name);
  }
  return documents;
}

absl::StatusOr<Value> ParseYaml(std::string_view text, std::string_view name,
                                const TextLimits& limits) {
  auto documents = ParseYamlDocuments(text, name, limits);
  if (!documents.ok()) return documents.status();
  if (documents->size() > 1) {
    return ToStatus({(*documents)[1].mark(), "more than one document, where one is meant"}, name);
  }
  return std::move(documents->front());
}

}  // namespace spillway
