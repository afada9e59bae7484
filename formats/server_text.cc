#include "formats/server_text.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr std::size_t kMostKeys = 1000;

struct HostAndPort {
  std::string_view host, port;
};
HostAndPort Split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return {text, ""};
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, text.substr(colon + 1)};
}

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 0 && port <= 65535;
}

void ReadListen(const Place& at, std::string& listen) {
  const std::string text = TextOf(at);
  if (text.empty()) return;
  if (!IsHostAndPort(text)) {
    return at.Fail(absl::StrCat("`", text, "` is no address: write one like `127.0.0.1:8080`"));
  }
  listen = text;
}

void ReadHash(const Place& at, std::string& sha256) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string text = TextOf(at);
  if (text.empty()) return;
  if (text.size() != 64 || text.find_first_not_of(kHex) != text.npos) {
    return at.Fail("wants the 64 small hexadecimal digits of the key's SHA-256");
  }
  sha256 = text;
}

void ReadRole(const Place& at, std::string& role) {
  const std::vector<std::string> known = {"reader", "submitter", "operator"};
  const std::string word = TextOf(at);
  if (word.empty()) return;
  if (std::find(known.begin(), known.end(), word) == known.end()) return FailWord(at, word, known);
  role = word;
}

void ReadKey(const Place& at, ApiKey& key) {
  ObjectReader r(at, "a key");
  r.Required("name", key.name, ReadName);
  r.Required("sha256", key.sha256, ReadHash);
  r.Required("tenant", key.tenant, ReadName);
  r.Required("role", key.role, ReadRole);
  r.Finish();
}

void ReadKeys(const Place& at, std::vector<ApiKey>& keys) {
  Listed(ReadKey, kMostKeys)(at, keys);
  std::set<std::string> names, hashes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool is_new = names.insert(keys[i].name).second && hashes.insert(keys[i].sha256).second;
    if (!is_new) at.Item(i).Fail("a key of that name or hash stands further up already");
  }
}

void ReadStore(const Place& at, std::string& sqlite) {
  ObjectReader r(at, "`store`");
  r.Required("sqlite", sqlite);
  r.Finish();
}

}  // namespace

bool IsHostAndPort(std::string_view text) {
  constexpr std::string_view kHost =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:%_";
  const auto [host, port] = Split(text);
  const bool needs_brackets = host.find(':') != host.npos && !text.starts_with('[');
  return !host.empty() && host.find_first_not_of(kHost) == host.npos && IsPort(port) &&
         !needs_brackets;
}

bool IsLoopback(std::string_view host_and_port) {
  const std::string_view host = Split(host_and_port).host;
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

void ReadServer(const Place& at, ServerSpec& out) {
  ObjectReader r(at, "a server");
  std::string kind;
  r.Required("kind", kind);
  r.Optional("listen", out.listen, ReadListen);
  r.Optional("drain", out.drain);
  r.Optional("store", out.sqlite, ReadStore);
  r.Optional("keys", out.keys, ReadKeys);
  r.Finish();
  if (!IsLoopback(out.listen) && out.keys.empty()) {
    at.Fail(absl::StrCat("listening on `", out.listen, "`, which others can reach, needs `keys:`"));
  }
}

}  // namespace spillway
