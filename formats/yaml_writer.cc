#include "formats/yaml_writer.h"

#include <algorithm>
#include <string_view>

#include "formats/json_writer.h"
#include "formats/number_text.h"

namespace spillway {
namespace {

// Words that some reader of YAML takes for a boolean or for nothing, in lower case.
bool IsSpecialWord(std::string_view text) {
  constexpr std::string_view kWords[] = {"",   "~",   "null", "true", "false", "y", "yes",
                                         "on", "off", "no",   "n",    "<<",    "="};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
}

// Careful rather than pretty: letters, digits and few signs, not like a number or a date in front.
bool IsPlainWord(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
  constexpr std::string_view kOthers = "0123456789-.+>=<% ";
  if (IsSpecialWord(text) || kLetters.find(text.front()) == std::string_view::npos) return false;
  if (text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return kLetters.find(c) != std::string_view::npos || kOthers.find(c) != std::string_view::npos;
  });
}

// A double-quoted YAML scalar reads every JSON string, but for what YAML calls not printable.
void AppendQuoted(std::string& out, std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  for (char c : quoted) {
    if (c == '\x7f') {
      out += "\\x7f";
    } else {
      out += c;
    }
  }
}
void AppendText(std::string& out, std::string_view text) {
  if (IsPlainWord(text)) {
    out += text;
  } else {
    AppendQuoted(out, text);
  }
}

class Printer {
 public:
  std::string Take() { return std::move(out_); }

  // The value after `key:` or `-`, with the space or line feed in front of it and the one behind.
  void PrintBelow(const Value& value, std::size_t indent, bool after_dash) {
    if (value.is_map() && !value.map().empty()) {
      if (!after_dash) out_ += '\n';
      return PrintMap(value.map(), indent, after_dash);
    }
    if (value.is_list() && !value.list().empty()) {
      out_ += '\n';
      return PrintList(value.list(), indent);
    }
    out_ += ' ';
    PrintScalar(value);
    out_ += '\n';
  }
  void PrintScalar(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kNull:
        out_ += "null";
        return;
      case Value::Kind::kBool:
        out_ += value.boolean() ? "true" : "false";
        return;
      case Value::Kind::kInteger:
        out_ += value.text();
        return;
      case Value::Kind::kReal:
        out_ += JsonNumber(value);
        return;
      case Value::Kind::kString:
        return AppendText(out_, value.string());
      case Value::Kind::kList:
        out_ += "[]";
        return;
      case Value::Kind::kMap:
        out_ += "{}";
        return;
    }
  }
  // `after_dash`: the first key stands on the dash's own line.
  void PrintMap(const Value::Map& map, std::size_t indent, bool after_dash) {
    for (const Member& member : map) {
      out_.append(after_dash ? 1 : indent, ' ');
      after_dash = false;
      PrintKey(member.key, indent);
      PrintBelow(member.value, indent + 2, false);
    }
  }
  // YAML takes a key before its `:` only up to 1024 characters; longer ones are announced.
  void PrintKey(const std::string& key, std::size_t indent) {
    constexpr std::size_t kLongest = 1000;
    std::string text;
    AppendText(text, key);
    if (text.size() > kLongest) {
      out_.append("? ").append(text).append("\n").append(indent, ' ');
    } else {
      out_ += text;
    }
    out_ += ':';
  }
  void PrintList(const Value::List& list, std::size_t indent) {
    for (const Value& item : list) {
      out_.append(indent, ' ').append("-");
      PrintBelow(item, indent + 2, true);
    }
  }

 private:
  std::string out_;
};

}  // namespace

std::string WriteYaml(const Value& value) {
  Printer printer;
  if (value.is_map() && !value.map().empty()) {
    printer.PrintMap(value.map(), 0, false);
    return printer.Take();
  }
  if (value.is_list() && !value.list().empty()) {
    printer.PrintList(value.list(), 0);
    return printer.Take();
  }
  printer.PrintScalar(value);
  return printer.Take() + "\n";
}

}  // namespace spillway
