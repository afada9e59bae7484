#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "net/server.h"

// Every path that the controller answers, in one table. openapi.yaml says the same to the world; a
// test compares the two both ways.
namespace spillway {

class Api;

// What a caller must be allowed. Nothing enforces it before there are keys; every route declares
// it.
enum class Role : std::uint8_t { kPublic, kReader, kSubmitter, kOperator };

// One request on its way to its handler.
struct Call {
  Call(HttpRequest r, std::vector<std::string> a, Exchange& e)
      : request(std::move(r)), args(std::move(a)), exchange(&e) {}
  HttpRequest request;
  std::vector<std::string> args;  // what stands for each {name} of the pattern, in order
  Exchange* exchange;             // alive until the handler and its body producer returned
  std::string tenant = "default";
};

using RouteHandler = Awaitable<HttpAnswer> (*)(Api& api, Call call);

struct Route {
  Method method;
  std::string_view pattern;    // "/api/v1/jobs/{id}"
  std::string_view operation;  // operationId
  Role role;
  std::size_t body_limit;  // bytes
  RouteHandler handler;
};

// In the order of the documentation.
absl::Span<const Route> Routes();

struct Match {
  const Route* route = nullptr;  // null: see `allowed`
  std::vector<std::string> args;
  std::string allowed;  // methods of the path, "GET, HEAD, POST"; empty: no such path
};
// HEAD is taken where GET is.
Match FindRoute(Method method, const std::vector<std::string>& path);

}  // namespace spillway
