# Writes TO: a source that gives the text of FROM. In pieces, since compilers bound literals.
file(READ ${FROM} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "    R\"yaml(${piece})yaml\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${TO} "#include \"controller/northbound/api.h\"

// Compilers take more than the 65536 characters that the standard asks of them.
#pragma GCC diagnostic ignored \"-Woverlength-strings\"

namespace spillway {

std::string_view OpenapiText() {
  static constexpr std::string_view kText =
${pieces};
  return kText;
}

}  // namespace spillway
")
