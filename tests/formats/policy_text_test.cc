#include "formats/policy_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "formats/file_text.h"

namespace spillway {
namespace {

std::string Error(std::string_view text) {
  const auto policy = ParsePolicy(text, "p.yaml");
  return policy.ok() ? "accepted" : std::string(policy.status().message());
}

// PolicySpec has no operator==; equal texts are equal policies, since every key is written.
std::string Shown(const PolicySpec& policy) { return WritePolicyJson(policy); }

TEST(ParsePolicy, ReadsEveryKey) {
  const auto policy = ParsePolicy(R"(
kind: Policy
name: mine
claim:
  order: tiers
  backstop: {vendor: [nvidia, amd], kind: gpu}
  only: {site: office, site_kind: [edge, device], tier: [1, 2], modelled: false, arch: arm64,
         billing: committed, device: d, features: [tdx], confidential: tdx, runtime: cuda,
         name: p, labels: {rack: [a, b], row: c}}
  band: 5%
rules:
  - name: one
    when: {kind: job, name: [x, y], tenant: t, confidential: tdx, class: image-resize, model: m,
           labels: {team: research}, min_priority: -5}
    claim: [{vendor: nvidia}, {}]
spill: {rule: patience, wait_at_most: {job: 50% of slack, request: 80% of ttft}, patience: 5s}
choice: weighted
weights: {cost: 1, energy: 0.5}
nodes: pack
queue: {discipline: earliest-deadline, aging: never}
objectives: {job: {start_within: 2min}, request: {ttft: 1s, tpot: 100ms}}
default_duration: 90s
queue_timeout: 1h
allow_unpriced: true
baseline: some-pool
seed: 18446744073709551615
cascades:
  - name: small-first
    when: {model: [big, bigger], tenant: t}
    first: small
    escalate_when: {finish_reason: [length, content_filter], mean_logprob_below: -1.2, schema_unmet: true}
)",
                                  "p.yaml");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->name, "mine");
  EXPECT_EQ(policy->claim.order, OrderBy::kTiers);
  EXPECT_EQ(*policy->claim.backstop,
            (PoolSelector{.kind = {DeviceKind::kGpu}, .vendor = {"nvidia", "amd"}}));
  EXPECT_EQ(*policy->claim.only, (PoolSelector{.name = {"p"},
                                               .device = {"d"},
                                               .arch = {Arch::kArm64},
                                               .billing = {Billing::kCommitted},
                                               .site = {"office"},
                                               .site_kind = {SiteKind::kEdge, SiteKind::kDevice},
                                               .features = {"tdx"},
                                               .confidential = {"tdx"},
                                               .runtime = {"cuda"},
                                               .tier = {1, 2},
                                               .modelled = false,
                                               .labels = {{"rack", {"a", "b"}}, {"row", {"c"}}}}));
  EXPECT_EQ(policy->claim.band, 0.05);
  ASSERT_EQ(policy->rules.size(), 1u);
  EXPECT_EQ(policy->rules[0].name, "one");
  EXPECT_EQ(policy->rules[0].when, (WorkSelector{.kind = {WorkKind::kJob},
                                                 .name = {"x", "y"},
                                                 .tenant = {"t"},
                                                 .confidential = {"tdx"},
                                                 .work_class = {"image-resize"},
                                                 .model = {"m"},
                                                 .labels = {{"team", {"research"}}},
                                                 .min_priority = -5}));
  EXPECT_THAT(policy->rules[0].claim,
              testing::ElementsAre(PoolSelector{.vendor = {"nvidia"}}, PoolSelector{}));
  EXPECT_EQ(policy->spill.rule, SpillRule::kPatience);
  EXPECT_EQ(policy->spill.job_wait, 0.5);
  EXPECT_EQ(policy->spill.request_wait, 0.8);
  EXPECT_EQ(policy->spill.patience, absl::Seconds(5));
  EXPECT_EQ(policy->choice, ChoiceRule::kWeighted);
  EXPECT_EQ(policy->weights.cost, 1);
  EXPECT_EQ(policy->weights.energy, 0.5);
  EXPECT_EQ(policy->nodes, NodeRule::kPack);
  EXPECT_EQ(policy->queue.discipline, QueueRule::kEarliestDeadline);
  EXPECT_EQ(policy->queue.aging, absl::InfiniteDuration());
  EXPECT_EQ(policy->objectives.job_start_within, absl::Minutes(2));
  EXPECT_EQ(policy->objectives.request_ttft, absl::Seconds(1));
  EXPECT_EQ(policy->objectives.request_tpot, absl::Milliseconds(100));
  EXPECT_EQ(policy->default_duration, absl::Seconds(90));
  EXPECT_EQ(policy->queue_timeout, absl::Hours(1));
  EXPECT_TRUE(policy->allow_unpriced);
  EXPECT_EQ(policy->baseline, "some-pool");
  EXPECT_EQ(policy->seed, 18446744073709551615u);
  EXPECT_THAT(
      policy->cascades,
      testing::ElementsAre(CascadeSpec{
          .name = "small-first",
          .when = {.model = {"big", "bigger"}, .tenant = {"t"}},
          .first = "small",
          .escalate_when = {.finish_reason = {FinishReason::kLength, FinishReason::kContentFilter},
                            .mean_logprob_below = -1.2,
                            .schema_unmet = true}}));
}

TEST(ParsePolicy, LeavesDefaultsWhereNothingIsSaid) {
  const auto policy = ParsePolicy("name: backstop");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(Shown(*policy), Shown(PolicySpec()));
  EXPECT_FALSE(policy->claim.backstop) << "only the default policy has a backstop unasked";
  EXPECT_EQ(DefaultPolicy().claim.backstop->vendor, std::vector<std::string>{"nvidia"});
}

TEST(ParsePolicy, TakesJson) {
  const auto policy = ParsePolicy(R"( {"kind": "Policy", "name": "p", "claim": {"band": "0%"}})");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->claim.band, 0);
  EXPECT_EQ(std::string(ParsePolicy(R"({"name": "p", "calim": {}})").status().message()),
            "/calim: unknown key `calim` (did you mean `claim`?)");
}

struct BadPolicy {
  std::string_view text, error;
};
class BadPolicies : public testing::TestWithParam<BadPolicy> {};
TEST_P(BadPolicies, AreRefusedWithTheirPlace) {
  EXPECT_EQ(Error(GetParam().text), GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(
    All, BadPolicies,
    testing::Values(
        BadPolicy{"kind: Fleet\nname: x",
                  "p.yaml:1:1: is of kind `Fleet`, where `Policy` is meant"},
        BadPolicy{"name: X",
                  "p.yaml:1:7: `X` is no name: up to 63 of a-z 0-9 . _ - beginning with "
                  "a letter or a digit"},
        BadPolicy{"claim: {order: costs}",
                  "p.yaml:1:16: unknown word `costs` (did you mean `cost`?)"},
        BadPolicy{"claim: {band: 2}", "p.yaml:1:15: `2` has no unit: write a percentage like `2%`"},
        BadPolicy{"claim: {backstop: {vender: nvidia}}",
                  "p.yaml:1:20: unknown key `vender` (did you mean `vendor`?)"},
        BadPolicy{"claim: {only: {tier: one}}",
                  "p.yaml:1:22: wants a whole number, found a string `one`"},
        BadPolicy{"rules: [{name: a, claim: {vendor: amd}}]",
                  "p.yaml:1:26: wants a list, found a map"},
        BadPolicy{"rules: [{claim: []}]", "p.yaml:1:9: a rule needs the key `name`"},
        BadPolicy{"rules: [{name: a}]", "p.yaml:1:9: a rule needs the key `claim`"},
        BadPolicy{"rules: [{name: a, when: {min_priority: 101}, claim: []}]",
                  "p.yaml:1:40: `101` is out of range: -100 to 100"},
        BadPolicy{"spill: {rule: atonce}",
                  "p.yaml:1:15: unknown word `atonce` (did you mean `at-once`?)"},
        BadPolicy{
            "spill: {wait_at_most: {job: 75%}}",
            "p.yaml:1:29: `75%` does not end in `of slack`: write a part like `75% of slack`"},
        BadPolicy{"spill: {wait_at_most: {job: 0% of slack}}",
                  "p.yaml:1:29: is zero: write `rule: at-once` instead"},
        BadPolicy{"spill: {patience: 5}",
                  "p.yaml:1:19: `5` has no unit: write a duration like `5s`"},
        BadPolicy{"weights: {cost: -1}", "p.yaml:1:17: `-1` is negative"},
        BadPolicy{"queue: {aging: 10min}",
                  "p.yaml:1:16: `10min` does not say how often: write how fast like `1 per 10min` "
                  "or `never`"},
        BadPolicy{"objectives: {job: {start_within: 0s}}", "p.yaml:1:34: is zero"},
        BadPolicy{"allow_unpriced: on",
                  "p.yaml:1:17: wants `true` or `false`, found a string `on`"},
        BadPolicy{"seed: -1", "p.yaml:1:7: `-1` is out of range: 0 to 9223372036854775807"},
        BadPolicy{"cascades: [{name: a, escalate_when: {}}]",
                  "p.yaml:1:12: a cascade needs the key `first`"},
        BadPolicy{"cascades: [{name: a, first: s}]",
                  "p.yaml:1:12: a cascade needs the key `escalate_when`"},
        BadPolicy{"cascades: [{name: a, first: s, when: {class: x}, escalate_when: {}}]",
                  "p.yaml:1:39: unknown key `class`: a selector of requests has model, tenant"},
        BadPolicy{"cascades: [{name: a, first: s, escalate_when: {finish_reason: lenght}}]",
                  "p.yaml:1:63: unknown word `lenght` (did you mean `length`?)"},
        BadPolicy{"cascades: [{name: a, first: s, escalate_when: {finish_reason: [stop, stop]}}]",
                  "p.yaml:1:70: `stop` stands here twice"},
        BadPolicy{"cascades: [{name: a, first: s, escalate_when: {mean_logprob_below: 1.2}}]",
                  "p.yaml:1:68: `1.2` is out of range: a logarithm of a probability, -100 to 0"},
        BadPolicy{"- name: x", "p.yaml:1:1: wants a map, a policy, found a list"},
        BadPolicy{"name: a\nname: b", "p.yaml:2:1: key `name` stands here twice"},
        BadPolicy{"", "p.yaml: the text is empty"}));

TEST(ParsePolicy, EveryFileOfTheConfigurationReads) {
  for (const char* name :
       {"at-once", "backstop", "earliest-deadline", "early", "least-cost", "least-energy",
        "least-energy-anywhere", "least-latency", "least-loaded", "least-loaded-anywhere",
        "nvidia-only", "patience", "random", "round-robin", "single-pool", "tiers"}) {
    const std::string path = std::string(SPILLWAY_SOURCE_DIR "/configs/policies/") + name + ".yaml";
    const auto text = ReadTextFile(path);
    ASSERT_TRUE(text.ok()) << text.status();
    const auto policy = ParsePolicy(*text, path);
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_EQ(policy->name, name);
  }
}

// ---- Round trips over policies drawn from a seed.

class PolicyDraw {
 public:
  explicit PolicyDraw(std::uint64_t seed) : draw_(seed) {}

  PolicySpec Policy() {
    PolicySpec p;
    p.name = Name();
    p.claim.order = Enum<OrderBy>();
    if (Coin()) p.claim.backstop = Pools();
    if (Coin()) p.claim.only = Pools();
    p.claim.band = Part();
    for (auto n = Pick(3); n > 0; --n) {
      p.rules.push_back({Name(), WorkSelectorOf(), {Pools(), Pools()}});
    }
    p.spill = {Enum<SpillRule>(), 1 - Part(), 1 - Part(), Span()};
    p.choice = Enum<ChoiceRule>();
    p.weights = {Part(), Part(), Part(), Part(), Part()};
    p.nodes = Enum<NodeRule>();
    p.queue = {Enum<QueueRule>(), Coin() ? absl::InfiniteDuration() : Span()};
    p.objectives = {Span(), Span(), Span()};
    p.default_duration = Span();
    p.queue_timeout = Span();
    p.allow_unpriced = Coin();
    p.baseline = Name();
    p.seed = draw_();
    for (auto n = Pick(3); n > 0; --n) p.cascades.push_back(Cascade());
    return p;
  }

 private:
  std::uint64_t Pick(std::uint64_t n) { return draw_() % n; }
  bool Coin() { return Pick(2) == 0; }
  double Part() { return static_cast<double>(draw_() >> 12) * 0x1p-52; }  // [0, 1)
  absl::Duration Span() {
    return absl::Nanoseconds(1 + static_cast<std::int64_t>(draw_() >> 10 >> Pick(50)));
  }
  std::string Name() {
    const std::string names[] = {"a", "no", "x-1", "1.5", "007", "true", "n.v_2", "null", "y"};
    return names[Pick(std::size(names))];
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names(Pick(3));
    for (std::string& name : names) name = Name();
    return names;
  }
  template <class E>
  E Enum() {
    const auto& names = NamesOf(E{});
    return names[Pick(names.size())].first;
  }
  template <class E>
  std::vector<E> Enums() {
    std::vector<E> values(Pick(3));
    for (E& value : values) value = Enum<E>();
    return values;
  }
  std::map<std::string, std::vector<std::string>> Labels() {
    if (Coin()) return {};
    return {{Name(), {Name(), "A value"}}};
  }
  PoolSelector Pools() {
    PoolSelector s{.name = Names(),
                   .kind = Enums<DeviceKind>(),
                   .vendor = Names(),
                   .device = Names(),
                   .arch = Enums<Arch>(),
                   .billing = Enums<Billing>(),
                   .site = Names(),
                   .site_kind = Enums<SiteKind>(),
                   .features = Names(),
                   .confidential = Names(),
                   .runtime = Names(),
                   .tier = {},
                   .modelled = {},
                   .labels = Labels()};
    if (Coin()) s.tier = {-3, 4};
    if (Coin()) s.modelled = Coin();
    return s;
  }
  CascadeSpec Cascade() {
    CascadeSpec c{.name = Name(), .when = {Names(), Names()}, .first = Name(), .escalate_when = {}};
    if (Coin()) c.escalate_when.finish_reason = {Enum<FinishReason>()};
    if (Coin()) c.escalate_when.mean_logprob_below = -100 * Part();
    c.escalate_when.schema_unmet = Coin();
    return c;
  }
  WorkSelector WorkSelectorOf() {
    WorkSelector s{.kind = Enums<WorkKind>(),
                   .name = Names(),
                   .tenant = Names(),
                   .confidential = Names(),
                   .work_class = Names(),
                   .model = Names(),
                   .labels = Labels(),
                   .min_priority = {}};
    if (Coin()) s.min_priority = static_cast<int>(Pick(201)) - 100;
    return s;
  }

  std::mt19937_64 draw_;
};

// All that a policy is, field by field.
bool Same(const PolicySpec& a, const PolicySpec& b) {
  const auto same_rule = [](const RuleSpec& x, const RuleSpec& y) {
    return x.name == y.name && x.when == y.when && x.claim == y.claim;
  };
  return a.name == b.name && a.claim.order == b.claim.order &&
         a.claim.backstop == b.claim.backstop && a.claim.only == b.claim.only &&
         a.claim.band == b.claim.band &&
         std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(), same_rule) &&
         a.spill.rule == b.spill.rule && a.spill.job_wait == b.spill.job_wait &&
         a.spill.request_wait == b.spill.request_wait && a.spill.patience == b.spill.patience &&
         a.choice == b.choice && a.weights.cost == b.weights.cost &&
         a.weights.latency == b.weights.latency && a.weights.energy == b.weights.energy &&
         a.weights.carbon == b.weights.carbon && a.weights.load == b.weights.load &&
         a.nodes == b.nodes && a.queue.discipline == b.queue.discipline &&
         a.queue.aging == b.queue.aging &&
         a.objectives.job_start_within == b.objectives.job_start_within &&
         a.objectives.request_ttft == b.objectives.request_ttft &&
         a.objectives.request_tpot == b.objectives.request_tpot &&
         a.default_duration == b.default_duration && a.queue_timeout == b.queue_timeout &&
         a.allow_unpriced == b.allow_unpriced && a.baseline == b.baseline && a.seed == b.seed &&
         a.cascades == b.cascades;
}

TEST(WritePolicy, ReadsBackAsTheSamePolicy) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const PolicySpec policy = PolicyDraw(seed).Policy();
    for (const std::string& text : {WritePolicyYaml(policy), WritePolicyJson(policy)}) {
      const auto again = ParsePolicy(text);
      ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status() << "\n" << text;
      ASSERT_TRUE(Same(*again, policy)) << "seed " << seed << "\n" << text;
    }
  }
}

TEST(WritePolicy, ReadsLikeAFileThatSomebodyWrote) {
  EXPECT_EQ(WritePolicyYaml(DefaultPolicy()), R"(kind: Policy
name: backstop
claim:
  order: cost
  backstop:
    vendor: nvidia
  band: "2%"
rules: []
spill:
  rule: need
  wait_at_most:
    job: "75% of slack"
    request: "90% of ttft"
  patience: "2s"
choice: least-cost
weights:
  cost: 1.0
  latency: 0.0
  energy: 0.0
  carbon: 0.0
  load: 0.0
nodes: auto
queue:
  discipline: priority
  aging: "1 per 10min"
objectives:
  job:
    start_within: "1min"
  request:
    ttft: "3s"
    tpot: "200ms"
default_duration: "1min"
queue_timeout: "24h"
allow_unpriced: false
baseline: cheapest-nvidia
seed: 0
cascades: []
)");
}

}  // namespace
}  // namespace spillway
