#include "formats/mark_at.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(MarkAt, FollowsPointersAndPaths) {
  const auto tree = ParseYaml("name: x\nrules:\n  - {claim: [a, b]}\n  - a/b: 1\n", "");
  ASSERT_TRUE(tree.ok()) << tree.status();
  const auto place = [&](std::string_view path) {
    const auto mark = MarkAt(*tree, path);
    return mark ? std::pair(mark->line, mark->column) : std::pair(0U, 0U);
  };
  EXPECT_EQ(place("name"), std::pair(1U, 1U));
  EXPECT_EQ(place("/rules/0/claim/1"), std::pair(3U, 17U));
  EXPECT_EQ(place("rules[0].claim[1]"), std::pair(3U, 17U));
  EXPECT_EQ(place("/rules/1/a~1b"), std::pair(4U, 5U));
  // Not written down: where it would stand.
  EXPECT_EQ(place("baseline"), std::pair(1U, 1U));
  EXPECT_EQ(place("rules[7].claim"), std::pair(2U, 1U));
  EXPECT_EQ(place(""), std::pair(1U, 1U));
}

TEST(MarkAt, WhatAProgramMadeStandsNowhere) {
  auto tree = ParseJson("{\"a\": 1}");
  ASSERT_TRUE(tree.ok());
  tree->Set("b", Value::MakeInteger(1));
  EXPECT_TRUE(MarkAt(*tree, "/a"));
  EXPECT_FALSE(MarkAt(*tree, "/b"));
  EXPECT_FALSE(MarkAt(Value::MakeMap(), "/a"));
}

}  // namespace
}  // namespace spillway
