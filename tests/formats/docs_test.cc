// docs/configuration.md and docs/jobs.md are held against the keys that the readers ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/config_file.h"
#include "formats/file_text.h"
#include "formats/pool_text.h"
#include "formats/work_text.h"
#include "tests/formats/sources.h"

namespace spillway {
namespace {

using Keys = std::set<std::string>;

std::string ReadOrFail(const std::string& path) {
  const auto text = ReadTextFile(SPILLWAY_SOURCE_DIR "/" + path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

// First column of the tables, by the heading above them: "| `key` | ...".
std::map<std::string, Keys> DocumentedKeys(const std::string& path) {
  std::map<std::string, Keys> sections;
  std::string heading, line;
  std::istringstream text(ReadOrFail(path));
  while (std::getline(text, line)) {
    if (absl::StartsWith(line, "## ")) heading = line.substr(3);
    if (!absl::StartsWith(line, "| `")) continue;
    sections[heading].insert(line.substr(3, line.find('`', 3) - 3));
  }
  return sections;
}

// Moves keys below `prefix` to `out`, without it.
void Split(Keys& keys, const std::string& prefix, Keys& out) {
  for (auto key = keys.begin(); key != keys.end();) {
    if (!absl::StartsWith(*key, prefix)) {
      ++key;
      continue;
    }
    out.insert(key->substr(prefix.size()));
    key = keys.erase(key);
  }
}

// Paths of all maps and their keys that stand in a tree; labels and the like are no keys of ours.
void WalkKeys(const Value& value, const std::string& path, const Keys& known, Keys& found) {
  if (value.is_list()) {
    for (const Value& item : value.list()) WalkKeys(item, path + "[]", known, found);
  }
  if (!value.is_map()) return;
  for (const Member& member : value.map()) {
    const std::string key = path.empty() ? member.key : absl::StrCat(path, ".", member.key);
    if (known.contains(key)) found.insert(key);
    WalkKeys(member.value, key, known, found);
  }
}

class Documentation : public testing::Test {
 protected:
  // The keys that a document of one kind is asked for; every one of them stands in the example.
  Keys KnownKeys(const std::string& kind) {
    const auto documents =
        ParseYamlDocuments(ReadOrFail("tests/formats/data/every_key.yaml"), "every_key.yaml");
    EXPECT_TRUE(documents.ok()) << documents.status();
    Keys known, used;
    for (const Value& document : *documents) {
      const bool is_fleet = document.Find("kind")->string() == "Fleet";
      const bool is_wanted = document.Find("kind")->string() == kind;
      if (!is_fleet && !is_wanted) continue;
      // Others need the fleet to be read with them; its keys are left out below.
      std::vector<Value> alone = {document};
      if (!is_fleet) alone.push_back(*FleetOf(*documents));
      const Keys keys = Ask(alone);
      if (is_wanted) {
        known = keys;
        WalkKeys(document, "", known, used);
      }
    }
    if (kind != "Fleet") {
      for (const std::string& key : KnownKeys("Fleet")) {
        if (key != "kind") known.erase(key);
      }
    }
    Keys missing;
    for (const std::string& key : known) {
      const bool is_token_price = absl::EndsWith(key, ".input") || absl::EndsWith(key, ".output");
      if (!used.contains(key) && !is_token_price) missing.insert(key);
    }
    // Selectors stand in several places; one of them has every key.
    Keys selectors;
    for (const char* prefix : {"claim.only.", "rules[].claim[].", "tenants[].budget.demote_to."})
      Split(missing, prefix, selectors);
    EXPECT_THAT(missing, testing::IsEmpty()) << "not in every_key.yaml, kind " << kind;
    return known;
  }

 private:
  static const Value* FleetOf(const std::vector<Value>& documents) {
    for (const Value& document : documents) {
      if (document.Find("kind")->string() == "Fleet") return &document;
    }
    return nullptr;
  }
  static Keys Ask(const std::vector<Value>& documents) {
    const Catalog catalog = SmallCatalog();
    const Machine machine = SmallMachine();
    Reading reading("every_key.yaml");
    reading.KeepKnownKeys();
    LoadedConfig loaded;
    ReadConfig(documents, {catalog, machine}, reading, loaded);
    EXPECT_TRUE(reading.ok()) << reading.ToStatus().message();
    return reading.known_keys();
  }
};

TEST_F(Documentation, NamesEveryKeyOfTheConfiguration) {
  auto sections = DocumentedKeys("docs/configuration.md");
  for (const char* kind : {"Server", "Fleet", "Prices", "Carbon"}) {
    EXPECT_EQ(sections[kind], KnownKeys(kind)) << kind;
  }
  Keys tenants = KnownKeys("Tenants"), demoted;
  Split(tenants, "tenants[].budget.demote_to.", demoted);
  EXPECT_EQ(sections["Tenants"], tenants);
  Keys policy = KnownKeys("Policy"), pools, work;
  Split(policy, "claim.backstop.", pools);
  Split(policy, "claim.only.", pools);
  Split(policy, "rules[].claim[].", pools);
  Split(policy, "rules[].when.", work);
  EXPECT_EQ(sections["Policy"], policy);
  EXPECT_EQ(sections["Selectors of pools"], pools);
  EXPECT_EQ(sections["Selectors of pools"], demoted);
  EXPECT_EQ(sections["Selectors of work"], work);
}

TEST_F(Documentation, NamesEveryKeyOfAJob) {
  const auto document = ParseJson(ReadOrFail("tests/formats/data/every_key_of_a_job.json"));
  ASSERT_TRUE(document.ok()) << document.status();
  Reading reading;
  reading.KeepKnownKeys();
  Work work;
  ReadWork(Place(*document, reading), DefaultObjectives(), work);
  ASSERT_TRUE(reading.ok()) << reading.ToStatus().message();
  Keys known = reading.known_keys(), selector, merged;
  Split(known, "alternatives[].on.", selector);
  for (const char* part : {"run.", "needs.", "demand.", "objective."}) {
    Split(known, absl::StrCat("alternatives[].", part), merged);
  }
  EXPECT_EQ(DocumentedKeys("docs/jobs.md")["Keys"], known);
  EXPECT_EQ(DocumentedKeys("docs/configuration.md")["Selectors of pools"], selector);
  Keys used;
  WalkKeys(*document, "", known, used);
  EXPECT_EQ(used, [&] {
    Keys all = known;  // one demand has one shape; the others stand in alternatives
    for (const char* key :
         {"demand.class", "demand.units", "demand.prompt_tokens", "demand.output_tokens"}) {
      all.erase(key);
    }
    return all;
  }());
}

// The fenced JSON of docs/jobs.md is what the reader takes.
TEST_F(Documentation, ExampleOfAJobReads) {
  const std::string text = ReadOrFail("docs/jobs.md");
  const auto begin = text.find("```json\n") + 8;
  const auto work = ParseWork(text.substr(begin, text.find("```", begin) - begin), {});
  ASSERT_TRUE(work.ok()) << work.status().message();
  EXPECT_EQ(work->name, "thumbnails-42");
}

}  // namespace
}  // namespace spillway
