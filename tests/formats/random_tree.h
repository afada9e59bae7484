#pragma once

#include <random>
#include <string>

#include "formats/value.h"

namespace spillway {

// A small tree of every kind of value, with words that trip up careless writers. The same seed
// gives the same tree.
inline Value RandomTree(std::mt19937_64& draw, int depth) {
  const auto pick = [&](std::uint64_t n) { return draw() % n; };
  const std::string words[] = {"",
                               "a",
                               "no",
                               "On",
                               "1",
                               "1.5",
                               "null",
                               "~",
                               "a: b",
                               "# x",
                               "é\n",
                               std::string("\0\x7f\x1f", 3),
                               "- x",
                               "{",
                               "'",
                               "\"",
                               "\\",
                               " s ",
                               "2026-01-01",
                               "0x1F",
                               "010",
                               "<<",
                               "👍",
                               "true",
                               "1_000",
                               "*a",
                               "&a",
                               "%",
                               "@",
                               "`",
                               "|",
                               ">",
                               "a\tb",
                               "\xc2\x85",
                               "\xe2\x80\xa8",
                               "a #b",
                               "a:",
                               "---",
                               "...",
                               "x\r\ny",
                               "/p",
                               "e5",
                               "a  b"};
  switch (pick(depth > 3 ? 5 : 7)) {
    case 0:
      return Value();
    case 1:
      return Value::MakeBool(pick(2) == 0);
    case 2:
      return Value::MakeInteger(static_cast<std::int64_t>(draw() >> pick(64)) - 1000);
    case 3:
      return Value::MakeReal(static_cast<double>(draw() >> pick(64)) / 1024.5);
    case 4:
      return Value::MakeString(words[pick(std::size(words))]);
    case 5: {
      Value list = Value::MakeList();
      for (std::uint64_t n = pick(4); n > 0; --n) list.Append(RandomTree(draw, depth + 1));
      return list;
    }
    default: {
      Value map = Value::MakeMap();
      for (std::uint64_t n = pick(4); n > 0; --n)
        map.Set(words[pick(std::size(words))], RandomTree(draw, depth + 1));
      return map;
    }
  }
}

}  // namespace spillway
