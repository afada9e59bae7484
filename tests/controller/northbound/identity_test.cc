#include "controller/northbound/identity.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/northbound/some_keys.h"

namespace spillway {
namespace {

using testing::HasSubstr;

Headers Showing(std::string_view value) { return {{"Authorization", value}}; }

TEST(PresentedKey, StandsBehindOneBearer) {
  EXPECT_EQ(PresentedKey(Showing("Bearer abc")), "abc");
  EXPECT_EQ(PresentedKey(Showing("bearer abc")), "abc");
  EXPECT_EQ(PresentedKey(Showing("BEARER  a b")), "a b");
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer   ", "Bearerabc", "abc", "Basic abc",
                            "Token abc", " Bearer abc"}) {
    EXPECT_EQ(PresentedKey(Showing(value)), std::nullopt) << value;
  }
  EXPECT_EQ(PresentedKey({}), std::nullopt);
  EXPECT_EQ(PresentedKey({{"Authorization", "Bearer a"}, {"authorization", "Bearer a"}}),
            std::nullopt);
}

TEST(Keyring, FindsEachOfManyAndNothingElse) {
  std::vector<ApiKey> keys;
  for (int i = 0; i < 300; ++i)
    keys.push_back(KeyOf(absl::StrCat("secret-", i), absl::StrCat("t", i), "reader"));
  const auto ring = Keyring::Make(keys);
  ASSERT_TRUE(ring.ok()) << ring.status();
  for (int i = 0; i < 300; ++i) {
    const std::string key = absl::StrCat("secret-", i);
    const Identity* who = (*ring)->Find(key);
    ASSERT_NE(who, nullptr) << key;
    EXPECT_EQ(who->tenant, absl::StrCat("t", i));
    EXPECT_EQ((*ring)->Find(key.substr(0, key.size() - 1) + "x"), nullptr);
    EXPECT_EQ((*ring)->Find("x" + key.substr(1)), nullptr);
    EXPECT_EQ((*ring)->Find(keys[static_cast<std::size_t>(i)].sha256), nullptr) << "its hash";
  }
}

TEST(Keyring, KeysOfAnyOtherLengthAreNone) {
  const std::string good(40, 'k');
  const auto ring = *Keyring::Make({KeyOf(good, "a", "reader")});
  for (std::size_t size = 0; size <= 10'000; size += size < 100 ? 1 : 331) {
    const std::string key(size, 'k');
    EXPECT_EQ(ring->Find(key) != nullptr, key == good) << size;
  }
  EXPECT_EQ(ring->Find(good + std::string(1, '\0')), nullptr);
  EXPECT_EQ(ring->Find(std::string(32, '\0')), nullptr);
}

TEST(Keyring, WhatMakesNoSenseIsRefusedAndNamed) {
  const std::string hash(64, 'a');
  const auto why = [](std::vector<ApiKey> keys) {
    return std::string(Keyring::Make(keys).status().message());
  };
  EXPECT_THAT(why({{"web", hash, "t", "admin"}}), HasSubstr("`web`: the role is `admin`"));
  EXPECT_THAT(why({{"web", hash, "t", "public"}}), HasSubstr("`public`"));
  EXPECT_THAT(why({{"web", "secret", "t", "reader"}}), HasSubstr("`web`: `sha256`"));
  EXPECT_EQ(why({{"web", "secret", "t", "reader"}}).find("secret"), std::string::npos);
  EXPECT_THAT(why({{"web", std::string(64, 'A'), "t", "reader"}}), HasSubstr("`sha256`"));
  EXPECT_THAT(why({{"web", hash, "t", "reader"}, {"app", hash, "t", "operator"}}),
              HasSubstr("`app` and `web` are the same key"));
}

TEST(WhoCalls, WithoutKeysEverybodyIsAnOperatorOfDefault) {
  const Caller caller = WhoCalls(Keyring(), Showing("Bearer whatever"), Role::kOperator);
  EXPECT_EQ(caller.access, Access::kGranted);
  EXPECT_EQ(caller.who.tenant, "default");
  EXPECT_EQ(caller.who.role, Role::kOperator);
}

TEST(WhoCalls, ARoleMayDoWhatIsBelowIt) {
  const auto ring = *SomeKeys();
  const std::vector<std::pair<std::string, Role>> keys = {{"reader-of-a", Role::kReader},
                                                          {"submitter-of-a", Role::kSubmitter},
                                                          {"operator", Role::kOperator}};
  for (const auto& [key, role] : keys) {
    for (const Role needed : {Role::kPublic, Role::kReader, Role::kSubmitter, Role::kOperator}) {
      const Caller caller = WhoCalls(*ring, Showing("Bearer " + key), needed);
      EXPECT_EQ(caller.access, needed <= role ? Access::kGranted : Access::kRoleTooLow)
          << key << " " << NameOf(needed);
      if (needed != Role::kPublic) {
        EXPECT_EQ(caller.who.role, role);
      }
    }
  }
  for (const char* value : {"Bearer nobody", "reader-of-a", "Basic reader-of-a", ""})
    EXPECT_EQ(WhoCalls(*ring, Showing(value), Role::kReader).access, Access::kNoKey) << value;
  EXPECT_EQ(WhoCalls(*ring, {}, Role::kPublic).access, Access::kGranted);
}

}  // namespace
}  // namespace spillway
