#pragma once

#include <optional>
#include <string>
#include <string_view>

// What a shell needs to complete a half-written `spillway ...`, written from the table of commands:
// commands, options with their words, files and folders where those are meant, and the names of
// jobs and pools as the running controller knows them (asked with a short patience; none there, no
// names).
namespace spillway::cli {

enum class Shell : std::uint8_t { kBash, kZsh, kFish };
std::optional<Shell> ParseShell(std::string_view text);

// The script, whole: for `source <(spillway completion bash)` or a file of the shell's folder.
std::string CompletionFor(Shell shell);

}  // namespace spillway::cli
