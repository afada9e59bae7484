#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "controller/northbound/identity.h"
#include "net/server.h"

// Every path that the controller answers, in one table. openapi.yaml says the same to the world; a
// test compares the two both ways.
namespace spillway {

class Api;

// One request on its way to its handler.
struct Call {
  Call(HttpRequest r, std::vector<std::string> a, Exchange& e)
      : request(std::move(r)), args(std::move(a)), exchange(&e) {}
  HttpRequest request;
  std::vector<std::string> args;  // what stands for each {name} of the pattern, in order
  Exchange* exchange;             // alive until the handler and its body producer returned
  // From the caller's key; without keys everybody is an operator of `default`.
  std::string tenant = "default";
  Role role = Role::kOperator;
};

using RouteHandler = Awaitable<HttpAnswer> (*)(Api& api, Call call);

struct Route {
  Method method;
  std::string_view pattern;    // "/api/v1/jobs/{id}"
  std::string_view operation;  // operationId
  Role role;                   // what the caller's key must allow
  std::size_t body_limit;      // bytes
  RouteHandler handler;
  bool takes_rest = false;  // the {name} at the end is all that follows, slashes too
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
