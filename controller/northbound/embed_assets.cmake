# Writes TO: a source that holds every file of FOLDER, as it is and compressed.
set(sources "")
set(entries "")
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT names)
set(number 0)
foreach(name IN LISTS names)
  # -n: neither a name nor a time, so that the same file gives the same bytes.
  execute_process(COMMAND gzip -9 -n -c ${FOLDER}/${name} OUTPUT_FILE ${TO}.gz COMMAND_ERROR_IS_FATAL ANY)
  foreach(kind plain packed)
    if(kind STREQUAL plain)
      file(READ ${FOLDER}/${name} bytes HEX)
    else()
      file(READ ${TO}.gz bytes HEX)
    endif()
    # Every byte is an escape, so none can run into the next one; in lines, since compilers bound them.
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
    string(REGEX REPLACE "(................................................................)" "\\1\"\n    \"" bytes "${bytes}")
    string(APPEND sources "constexpr char k${kind}${number}[] =\n    \"${bytes}\";\n")
  endforeach()
  string(APPEND entries "    {\"${name}\", View(kplain${number}), View(kpacked${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(REMOVE ${TO}.gz)
file(WRITE ${TO} "#include \"controller/northbound/assets.h\"

// Compilers take more than the 65536 characters that the standard asks of them.
#pragma GCC diagnostic ignored \"-Woverlength-strings\"

namespace spillway {
namespace {

template <std::size_t N>
constexpr std::string_view View(const char (&bytes)[N]) {
  return {bytes, N - 1};
}

${sources}
constexpr Asset kAssets[] = {
${entries}};

}  // namespace

absl::Span<const Asset> Assets() { return kAssets; }

}  // namespace spillway
")
