#include "formats/json_writer.h"
#include "formats/number_text.h"
#include "formats/value.h"

namespace spillway {
namespace {

class Printer {
 public:
  explicit Printer(bool pretty) : pretty_(pretty) {}
  std::string Take() { return std::move(out_); }

  void Print(const Value& value) {
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
        return AppendJsonString(out_, value.string());
      case Value::Kind::kList:
        return PrintAll('[', value.list(), ']', [this](const Value& item) { Print(item); });
      case Value::Kind::kMap:
        return PrintAll('{', value.map(), '}', [this](const Member& member) {
          AppendJsonString(out_, member.key);
          out_ += pretty_ ? ": " : ":";
          Print(member.value);
        });
    }
  }

 private:
  template <class Items, class F>
  void PrintAll(char open, const Items& items, char close, F print) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out_ += ',';
      BreakLine();
      print(item);
    }
    --depth_;
    if (!items.empty()) BreakLine();
    out_ += close;
  }
  void BreakLine() {
    if (pretty_) out_.append("\n").append(2 * depth_, ' ');
  }

  bool pretty_;
  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string WriteJson(const Value& value, bool pretty) {
  Printer printer(pretty);
  printer.Print(value);
  return printer.Take();
}

}  // namespace spillway
