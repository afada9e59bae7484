#include "formats/codec.h"

#include "formats/codec_read.h"
#include "formats/codec_write.h"

namespace spillway::codec {

template <class T>
std::string Encode(const T& x) {
  std::string text;
  text.reserve(512);  // most rows fit
  WriteDocument(text, x);
  return text;
}

template <class T>
absl::StatusOr<T> Decode(std::string_view text) {
  return ReadDocument<T>(text);
}

#define SPILLWAY_CODEC(T)                \
  template std::string Encode(const T&); \
  template absl::StatusOr<T> Decode(std::string_view)

SPILLWAY_CODEC(Work);
SPILLWAY_CODEC(Job);
SPILLWAY_CODEC(Decision);
SPILLWAY_CODEC(PoolSpec);
SPILLWAY_CODEC(PolicySpec);
SPILLWAY_CODEC(PricesSpec);
SPILLWAY_CODEC(TenantsSpec);
SPILLWAY_CODEC(Catalog);
SPILLWAY_CODEC(Config);
SPILLWAY_CODEC(record::PoolRow);
SPILLWAY_CODEC(record::PoolBooksRow);
SPILLWAY_CODEC(record::ObservationRow);
SPILLWAY_CODEC(record::PolicyRow);
SPILLWAY_CODEC(record::CountersRow);
SPILLWAY_CODEC(record::SpeedRow);
SPILLWAY_CODEC(record::ModelRow);
SPILLWAY_CODEC(Request);
SPILLWAY_CODEC(RouterInputs);

#undef SPILLWAY_CODEC

}  // namespace spillway::codec
