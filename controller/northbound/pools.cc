#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/views.h"
#include "core/text.h"
#include "formats/config_file.h"
#include "formats/pool_text.h"

namespace spillway {
namespace {

std::string PoolBody(const PoolStatus& pool) {
  std::string body;
  JsonWriter w(body);
  WritePool(w, FactsOf(pool));
  return body;
}

std::string PriceBody(const PoolStatus& pool) {
  std::string body;
  JsonWriter w(body);
  WritePrice(w, pool.price, *pool.spec);
  return body;
}

// The money, which a change is held against, and the rest of what is shown.
std::string PriceTag(const Price& price) {
  const std::string said = absl::StrCat(price.as_of, "\n", price.source);
  return absl::StrCat("\"", PriceVersion(price), ".", absl::Hex(XXH64(said.data(), said.size(), 0)),
                      "\"");
}

HttpResponse NoPool(const Call& call) {
  return ProblemAnswer(call.request, ProblemCode::kNotFound,
                       absl::StrCat("there is no pool ", call.args[0]));
}

// A page of things that have names and are all in memory: `after` is a name, the order is theirs.
struct NamedPage {
  std::size_t begin = 0, end = 0;
  bool has_more = false;
};
template <class Names>
NamedPage PageOf(const Names& names, const std::optional<std::string>& after, int limit,
                 Params& params) {
  NamedPage page;
  if (after) {
    const auto found = std::find(names.begin(), names.end(), *after);
    if (found == names.end())
      params.Refuse("after", absl::StrCat("is `", *after, "`, which the list does not hold"));
    page.begin = found == names.end() ? 0 : static_cast<std::size_t>(found - names.begin()) + 1;
  }
  page.end = std::min(names.size(), page.begin + static_cast<std::size_t>(limit));
  page.has_more = page.end < names.size();
  return page;
}

template <class Names, class WriteItem>
HttpResponse NamedList(const HttpRequest& request, const Names& names, NamedPage page,
                       WriteItem write) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (std::size_t i = page.begin; i < page.end; ++i) write(w, i);
  w.EndArray();
  if (page.begin == page.end) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    w.Member("first_id", names[page.begin]).Member("last_id", names[page.end - 1]);
  }
  w.Member("has_more", page.has_more).EndObject();
  HttpResponse response = Tagged(request, std::move(body));
  if (page.has_more) response.headers.Add("Link", NextLink(request, names[page.end - 1]));
  return response;
}

Awaitable<HttpAnswer> SetState(Api& api, Call call, PoolState state) {
  Host& host = api.host();
  const PoolStatus* pool = host.snapshot()->Find(call.args[0]);
  if (pool == nullptr || pool->removed) co_return NoPool(call);
  const PoolId id = pool->id;
  absl::AnyInvocable<void(Host::Done<absl::Status>)> start =
      [&host, id, state](Host::Done<absl::Status> done) {
        host.SetPoolState(id, state, std::move(done));
      };
  const std::optional<absl::Status> status =
      co_await Ask<absl::Status>(*call.exchange, std::move(start));
  if (!status) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  if (!status->ok()) co_return ProblemFor(call.request, *status);
  co_return JsonResponse(200, PoolBody(*host.snapshot()->Find(id)));
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> ListPools(Api& api, Call call) {
  Params params(call.request, {"limit", "after"});
  const int limit = static_cast<int>(params.Whole("limit", 1, 100).value_or(100));
  const std::shared_ptr<const Snapshot> snapshot = api.host().snapshot();
  std::vector<std::string> names;
  std::vector<const PoolStatus*> pools;
  for (const PoolStatus& pool : snapshot->pools) {
    if (pool.removed) continue;
    names.push_back(pool.spec->name);
    pools.push_back(&pool);
  }
  const NamedPage page = PageOf(names, params.Text("after"), limit, params);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  co_return NamedList(call.request, names, page,
                      [&](JsonWriter& w, std::size_t i) { WritePool(w, FactsOf(*pools[i])); });
}

Awaitable<HttpAnswer> GetPool(Api& api, Call call) {
  const std::shared_ptr<const Snapshot> snapshot = api.host().snapshot();
  const PoolStatus* pool = snapshot->Find(call.args[0]);
  if (pool == nullptr) co_return NoPool(call);
  co_return Tagged(call.request, PoolBody(*pool));
}

Awaitable<HttpAnswer> AddPool(Api& api, Call call) {
  Host& host = api.host();
  const std::shared_ptr<const Snapshot> before = host.snapshot();
  const PoolSources sources{before->config->catalog, api.machine()};
  auto spec = ParsePool(call.request.body, sources);
  if (!spec.ok()) co_return MalformedBody(call.request, spec.status());
  const PoolStatus* same = before->Find(spec->name);
  if (same != nullptr && !same->removed) {
    co_return ProblemAnswer(call.request, ProblemCode::kConflict,
                            absl::StrCat("there is a pool ", spec->name, " already"));
  }
  const auto pool = std::make_shared<const PoolSpec>(*std::move(spec));
  absl::AnyInvocable<void(Host::Done<absl::Status>)> start =
      [&host, pool](Host::Done<absl::Status> done) { host.AddPool(pool, std::move(done)); };
  const std::optional<absl::Status> status =
      co_await Ask<absl::Status>(*call.exchange, std::move(start));
  if (!status) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  if (absl::IsInvalidArgument(*status)) {
    co_return ProblemAnswer(call.request, ProblemCode::kInvalidPool,
                            std::string(status->message()));
  }
  if (!status->ok()) co_return ProblemFor(call.request, *status);
  const std::shared_ptr<const Snapshot> now = host.snapshot();
  HttpResponse response = JsonResponse(201, PoolBody(*now->Find(pool->name)));
  response.headers.Add("Location", absl::StrCat("/api/v1/pools/", pool->name));
  co_return response;
}

Awaitable<HttpAnswer> CordonPool(Api& api, Call call) {
  return SetState(api, std::move(call), PoolState::kCordoned);
}
Awaitable<HttpAnswer> DrainPool(Api& api, Call call) {
  return SetState(api, std::move(call), PoolState::kDraining);
}
Awaitable<HttpAnswer> ResumePool(Api& api, Call call) {
  return SetState(api, std::move(call), PoolState::kActive);
}

Awaitable<HttpAnswer> GetPoolPrice(Api& api, Call call) {
  const std::shared_ptr<const Snapshot> snapshot = api.host().snapshot();
  const PoolStatus* pool = snapshot->Find(call.args[0]);
  if (pool == nullptr) co_return NoPool(call);
  co_return Tagged(call.request, PriceBody(*pool), PriceTag(pool->price));
}

Awaitable<HttpAnswer> SetPoolPrice(Api& api, Call call) {
  Host& host = api.host();
  const std::shared_ptr<const Snapshot> before = host.snapshot();
  const PoolStatus* pool = before->Find(call.args[0]);
  if (pool == nullptr || pool->removed) co_return NoPool(call);
  auto price = ParsePrice(call.request.body, *pool->spec);
  if (!price.ok()) co_return MalformedBody(call.request, price.status());
  std::optional<std::string> expected;
  if (const auto match = call.request.headers.Find("If-Match")) {
    if (!EtagListed(*match, PriceTag(pool->price), /*weak=*/false)) {
      co_return ProblemAnswer(call.request, ProblemCode::kPreconditionFailed,
                              absl::StrCat("the price of ", call.args[0], " is at version ",
                                           PriceTag(pool->price), " now"));
    }
    expected = PriceVersion(pool->price);
  }
  absl::AnyInvocable<void(Host::Done<absl::Status>)> start =
      [&host, id = pool->id, price = *std::move(price),
       expected = std::move(expected)](Host::Done<absl::Status> done) mutable {
        host.PricePool(id, std::move(price), std::move(expected), std::move(done));
      };
  const std::optional<absl::Status> status =
      co_await Ask<absl::Status>(*call.exchange, std::move(start));
  if (!status) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  if (absl::IsAborted(*status)) {
    co_return ProblemAnswer(call.request, ProblemCode::kPreconditionFailed,
                            std::string(status->message()));
  }
  if (!status->ok()) co_return ProblemFor(call.request, *status);
  const std::shared_ptr<const Snapshot> now = host.snapshot();
  const PoolStatus& priced = *now->Find(pool->id);
  HttpResponse response = JsonResponse(200, PriceBody(priced));
  response.headers.Add("ETag", PriceTag(priced.price));
  co_return response;
}

Awaitable<HttpAnswer> ListDevices(Api& api, Call call) {
  Params params(call.request, {"limit", "after"});
  const int limit = static_cast<int>(params.Whole("limit", 1, 100).value_or(100));
  const std::shared_ptr<const Snapshot> snapshot = api.host().snapshot();
  std::vector<std::string> names;
  for (const auto& [name, device] : snapshot->config->catalog.devices) names.push_back(name);
  const NamedPage page = PageOf(names, params.Text("after"), limit, params);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  co_return NamedList(call.request, names, page, [&](JsonWriter& w, std::size_t i) {
    WriteDevice(w, snapshot->config->catalog.devices.at(names[i]));
  });
}

}  // namespace handle
}  // namespace spillway
