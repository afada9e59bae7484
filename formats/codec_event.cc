#include <array>
#include <memory>

#include "formats/codec.h"
#include "formats/codec_count.h"
#include "formats/codec_packed_changes.h"
#include "formats/codec_read.h"
#include "formats/codec_write.h"

namespace spillway {
namespace {

constexpr std::size_t kPackedRequest = 64;  // bytes, about

// In the order of event::Body. Part of the storage format.
constexpr std::array<std::string_view, std::variant_size_v<event::Body>> kKinds{
    "started",       "submitted",  "cancel_requested", "attempt_started",
    "attempt_ended", "node_seen",  "pool_state",       "pool_priced",
    "pool_added",    "policy_set", "prices_set",       "timer_fired",
    "endpoint_seen", "requests",   "carbon_seen",      "file_read"};

std::string PackRequests(const event::RequestsEnded& ended) {
  static_assert(kMemberCount<event::RequestsEnded> == 1);
  codec::Packer p;
  p.Reserve(kPackedRequest * (ended.requests.size() + 4));
  codec::PackAlike(p, ended.requests);
  return codec::PackedText(p);
}

absl::StatusOr<event::Body> UnpackRequests(int form, std::string_view text) {
  const auto bytes = codec::BytesOfPackedText(text);
  if (!bytes.ok()) return bytes.status();
  codec::Unpacker u(*bytes);
  event::RequestsEnded ended;
  const bool good = form == 2 ? codec::Unpack(u, ended) : codec::UnpackAlike(u, ended.requests);
  if (!good || (!u.at_end() && !u.Say("more than the document"))) return u.ToStatus();
  return event::Body(std::move(ended));
}

template <class E>
absl::StatusOr<event::Body> DecodeAs(std::string_view text) {
  if constexpr (std::same_as<E, event::Submitted>) {
    auto work = codec::Decode<Work>(text);
    if (!work.ok()) return work.status();
    return event::Submitted{std::make_shared<const Work>(*std::move(work))};
  } else {
    if constexpr (std::same_as<E, event::RequestsEnded>) {
      if (const int form = codec::FormOfPackedText(text)) return UnpackRequests(form, text);
    }
    auto event = codec::ReadDocument<E>(text);
    if (!event.ok()) return event.status();
    return event::Body(*std::move(event));
  }
}

template <std::size_t... I>
absl::StatusOr<event::Body> DecodeKind(std::size_t kind, std::string_view text,
                                       std::index_sequence<I...>) {
  using Decoder = absl::StatusOr<event::Body> (*)(std::string_view);
  constexpr std::array<Decoder, sizeof...(I)> kDecoders{
      &DecodeAs<std::variant_alternative_t<I, event::Body>>...};
  return kDecoders[kind](text);
}

}  // namespace

std::string_view KindOf(const event::Body& body) { return kKinds[body.index()]; }

std::string EncodeEvent(const event::Body& body) {
  return std::visit(
      []<class E>(const E& event) {
        if constexpr (std::same_as<E, event::Submitted>) {
          SPILLWAY_CHECK(event.work != nullptr);
          return codec::Encode(*event.work);
        } else if constexpr (std::same_as<E, event::RequestsEnded>) {
          return PackRequests(event);
        } else {
          std::string text;
          codec::WriteDocument(text, event);
          return text;
        }
      },
      body);
}

absl::StatusOr<event::Body> DecodeEvent(std::string_view kind, std::string_view text) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == kind) return DecodeKind(i, text, std::make_index_sequence<kKinds.size()>());
  }
  return absl::DataLossError(absl::StrCat("unknown kind of event `", ToAbsl(kind), "`"));
}

}  // namespace spillway
