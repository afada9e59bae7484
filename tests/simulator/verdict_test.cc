#include "simulator/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/figures.h"
#include "tests/simulator/sample_outcome.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

RowOutcome Row(std::string fleet, double cost, double attainment) {
  RowOutcome row;
  row.fleet = std::move(fleet);
  row.policy = "p";
  row.workload = "w";
  row.seeds = 5;
  row.cost = row.cost_paid_for = {cost, 0};
  row.attainment = {attainment, 0};
  return row;
}
RowOutcome Baseline(double cost, double attainment) {
  RowOutcome row = Row("nvidia", cost, attainment);
  row.is_baseline = true;
  return row;
}
// A fleet that saves so much, give or take.
RowOutcome Mixed(double saving, double half, double attainment) {
  RowOutcome row = Row("mixed", 100 * (1 - saving), attainment);
  row.saving = row.saving_paid_for = MeanOf{saving, half};
  return row;
}

std::string Verdict(std::vector<RowOutcome> rows) {
  ExperimentOutcome outcome;
  outcome.rows = std::move(rows);
  return VerdictSentence(outcome, SampleScenario());
}

TEST(Verdict, CheaperAndInTime) {
  EXPECT_EQ(Verdict({Mixed(0.25, 0.03, 0.995), Baseline(100, 0.999)}),
            "mixed under p meets the objective (99.5 % in time, 99 % wanted) and costs 25.0 % ± "
            "3.0 % less than the baseline, nvidia under p (100.00 USD, 99.90 % in time): 75.00 USD "
            "with every node rented.");
}

TEST(Verdict, CheaperButLateIsNoCheaperWayToDoTheSame) {
  EXPECT_EQ(Verdict({Mixed(0.25, 0.03, 0.93), Baseline(100, 0.999)}),
            "Only the baseline meets the objective: nvidia under p costs 100.00 USD with 99.90 % "
            "in time (99 % wanted), with every node rented; nearest comes mixed under p with "
            "93.0 %, and costs 25.0 % ± 3.0 % less (75.00 USD).");
  EXPECT_THAT(Verdict({Mixed(0.25, 0.03, 0.93), Baseline(100, 0.97)}),
              StartsWith("mixed under p misses the objective (93.0 % in time, 99 % wanted), as the "
                         "baseline does; it costs 25.0 % ± 3.0 % less"));
}

// Of what is late the nearest counts, not the cheapest.
TEST(Verdict, WhereNothingIsInTimeTheNearestIsNamed) {
  RowOutcome cheap = Mixed(0.9, 0, 0.4);
  cheap.fleet = "cheap";
  EXPECT_THAT(Verdict({cheap, Mixed(-0.25, 0, 0.98), Baseline(100, 0.999)}),
              AllOf(HasSubstr("nearest comes mixed under p with 98.0 %, and costs 25.0 % more"),
                    Not(HasSubstr("cheap under"))));
}

TEST(Verdict, ABaselineThatCostsNothingIsNeverUndercut) {
  RowOutcome row = Mixed(0.25, 0.03, 0.995), baseline = Baseline(100, 0.999);
  row.cost_paid_for = {5, 0};
  row.saving_paid_for = std::nullopt;
  baseline.cost_paid_for = {0, 0};
  EXPECT_THAT(Verdict({row, baseline}),
              HasSubstr("; with committed pools paid for it costs 5.00 USD, and nothing is left to "
                        "pay for the baseline."));
  EXPECT_EQ(StandingOf(row, Accounting::kPaidFor, 0.99), Standing::kDearer);
  EXPECT_EQ(SavingOf(SampleUsd(5), SampleUsd(0)), std::nullopt);
  EXPECT_EQ(SavingOf(SampleUsd(0), SampleUsd(0)), 0);
  EXPECT_EQ(SavingOf(SampleUsd(5), SampleUsd(4)), -0.25);
}

TEST(Verdict, DearerSaysThatTheBaselineIsCheaperFirst) {
  EXPECT_THAT(Verdict({Mixed(-0.4, 0.05, 1), Baseline(100, 0.999)}),
              AllOf(StartsWith("The baseline is cheaper: nvidia under p costs 100.00 USD with "
                               "99.90 % in time"),
                    HasSubstr("costs 40.0 % ± 5.0 % more (140.00 USD")));
}

TEST(Verdict, ABaselineThatIsCheaperAndLateIsBoth) {
  EXPECT_THAT(Verdict({Mixed(-0.4, 0.05, 1), Baseline(100, 0.9)}),
              AllOf(StartsWith("The baseline is cheaper"),
                    HasSubstr("90.0 % in time, which misses the objective")));
}

TEST(Verdict, WithinTheIntervalThereIsNoDifference) {
  EXPECT_THAT(Verdict({Mixed(0.02, 0.03, 0.995), Baseline(100, 0.999)}),
              AllOf(StartsWith("No difference in cost that the data shows: mixed under p"),
                    HasSubstr("costs 2.0 % ± 3.0 % less")));
  EXPECT_THAT(Verdict({Mixed(-0.02, 0.03, 0.995), Baseline(100, 0.999)}),
              StartsWith("No difference in cost that the data shows"));
  // What would be shown as 0.0 % makes nothing cheaper.
  EXPECT_THAT(Verdict({Mixed(-0.0004, 0, 0.995), Baseline(100, 0.999)}),
              StartsWith("No difference in cost that the data shows"));
}

TEST(Verdict, OverloadedFleetsClaimNoSaving) {
  RowOutcome row = Mixed(0.6, 0.01, 0.4);
  row.label = LoadLabel::kOverloaded;
  EXPECT_THAT(Verdict({row, Baseline(100, 0.999)}),
              AllOf(StartsWith("Overloaded: mixed under p (40.0 %) could not keep up"),
                    HasSubstr("no saving is claimed"), Not(HasSubstr("less"))));
}

TEST(Verdict, AnOverloadedBaselineIsNothingToCompareWith) {
  RowOutcome baseline = Baseline(100, 0.3);
  baseline.label = LoadLabel::kOverloaded;
  EXPECT_THAT(
      Verdict({Mixed(0.25, 0.03, 0.995), baseline}),
      AllOf(StartsWith("The baseline, nvidia under p, is overloaded"), Not(HasSubstr("less"))));
}

TEST(Verdict, OneSeedSaysThatNoIntervalIsKnown) {
  RowOutcome row = Mixed(0.25, 0, 0.995);
  row.seeds = 1;
  EXPECT_THAT(Verdict({row, Baseline(100, 0.999)}),
              HasSubstr("one seed only, so no interval is known"));
}

TEST(Verdict, TheBaselineAlone) {
  EXPECT_THAT(Verdict({Baseline(100, 0.999)}), StartsWith("Only the baseline was run"));
}

TEST(Verdict, EachWorkloadHasItsOwnAndTheyAreSummedUp) {
  RowOutcome other = Mixed(-0.4, 0.05, 1), base = Baseline(100, 0.999);
  other.workload = base.workload = "v";
  ExperimentOutcome outcome;
  outcome.rows = {Mixed(0.25, 0.03, 0.995), Baseline(100, 0.999), other, base};
  const auto each = VerdictsOf(outcome, SampleScenario());
  ASSERT_EQ(each.size(), 2u);
  EXPECT_EQ(each[0].workload, "w");
  EXPECT_THAT(each[0].words, StartsWith("mixed under p meets the objective"));
  EXPECT_EQ(each[1].workload, "v");
  EXPECT_THAT(each[1].words, StartsWith("The baseline is cheaper"));
  EXPECT_EQ(VerdictSentence(outcome, SampleScenario()),
            "Of 2 workloads another fleet or policy is in time and cheaper than the baseline, "
            "nvidia under p, in 1 with every node rented (w), and in 1 with committed pools paid "
            "for (w).");
}

// What is late may be as cheap as it likes: it is not the best while another one is in time.
TEST(Verdict, TheBestIsTheCheapestOfThoseInTime) {
  ExperimentOutcome outcome;
  outcome.rows = {Mixed(0.5, 0, 0.9), Mixed(0.1, 0, 0.995), Mixed(0.2, 0, 0.992), Baseline(100, 1)};
  EXPECT_EQ(BestRow(outcome, SampleScenario(), "w"), &outcome.rows[2]);
  outcome.rows[2].label = LoadLabel::kOverloaded;
  EXPECT_EQ(BestRow(outcome, SampleScenario(), "w"), &outcome.rows[1]);
  outcome.rows[2] = Mixed(0.11, 0, 0.992);  // a hair cheaper than the row above it: as good
  EXPECT_EQ(BestRow(outcome, SampleScenario(), "w"), &outcome.rows[1]);
  EXPECT_EQ(BestRow(outcome, SampleScenario(), "unknown"), nullptr);
}

// Owned machines make a fleet cheaper to run on, not to have: both are said, rented first.
TEST(Verdict, BothBooksAreTold) {
  RowOutcome row = Mixed(-0.4, 0.05, 0.995);
  row.cost_paid_for = {30, 0};
  row.saving_paid_for = MeanOf{0.7, 0.01};
  const std::string words = Verdict({row, Baseline(100, 0.999)});
  EXPECT_THAT(words, StartsWith("The baseline is cheaper"));
  EXPECT_THAT(words, HasSubstr("; with committed pools paid for it costs 70.0 % ± 1.0 % less "
                               "(30.00 USD)"));
}

// What is the best buy if all is rented may not be where machines stand there anyway.
TEST(Verdict, EachBookHasItsOwnBestBuy) {
  RowOutcome owned = Mixed(-0.4, 0.05, 0.995), rented = Mixed(0.4, 0.01, 1);
  owned.cost_paid_for = {30, 0};
  owned.saving_paid_for = MeanOf{0.7, 0.01};
  rented.fleet = "l40s";
  const std::string words = Verdict({owned, rented, Baseline(100, 0.999)});
  EXPECT_THAT(words, StartsWith("l40s under p meets the objective (100 % in time, 99 % wanted) and "
                                "costs 40.0 % ± 1.0 % less"));
  EXPECT_THAT(words, HasSubstr("; with committed pools paid for the best buy is mixed under p: "
                               "30.00 USD with 99.5 % in time, 70.0 % ± 1.0 % less than the "
                               "baseline."));
}

TEST(Verdict, NothingLeftToPayIsCalledThat) {
  RowOutcome row = Mixed(-0.4, 0.05, 0.995);
  row.cost_paid_for = {0, 0};
  row.saving_paid_for = MeanOf{1, 0};
  EXPECT_THAT(Verdict({row, Baseline(100, 0.999)}),
              HasSubstr("; with committed pools paid for nothing is left to pay for it, and 100.00 "
                        "USD for the baseline."));
}

TEST(Verdict, TheScenariosFirstBookLeads) {
  RowOutcome row = Mixed(-0.4, 0.05, 0.995);
  row.cost_paid_for = {30, 0};
  row.saving_paid_for = MeanOf{0.7, 0.01};
  ExperimentOutcome outcome;
  outcome.rows = {row, Baseline(100, 0.999)};
  ScenarioSpec scenario = SampleScenario();
  scenario.accounting = {Accounting::kPaidFor};
  EXPECT_THAT(VerdictSentence(outcome, scenario),
              AllOf(HasSubstr("70.0 % ± 1.0 % less"), HasSubstr("committed pools paid for"),
                    Not(HasSubstr("rented"))));
}

TEST(Standing, FollowsFromIntervalAndAttainment) {
  const auto standing = [](const RowOutcome& row) {
    return StandingOf(row, Accounting::kRented, 0.99);
  };
  EXPECT_EQ(standing(Baseline(1, 1)), Standing::kBaseline);
  EXPECT_EQ(standing(Mixed(0.1, 0.05, 0.99)), Standing::kCheaper);
  EXPECT_EQ(standing(Mixed(0.1, 0.05, 0.98)), Standing::kCheaperLate);
  EXPECT_EQ(standing(Mixed(-0.1, 0.05, 1)), Standing::kDearer);
  EXPECT_EQ(standing(Mixed(0.1, 0.1, 1)), Standing::kNoDifference);
  EXPECT_EQ(standing(Mixed(0, 0, 1)), Standing::kNoDifference);
}

TEST(Figures, HaveFewDigitsAndAUnit) {
  EXPECT_EQ(DollarFigure(1204.5), "1,204.50");
  EXPECT_EQ(DollarFigure(0.01234), "0.0123");
  EXPECT_EQ(DollarFigure(0), "0");
  EXPECT_EQ(DollarInterval({16.74, 0.9}), "16.74 ± 0.90");
  EXPECT_EQ(SecondsFigure(0.085), "85.0 ms");
  EXPECT_EQ(SecondsFigure(1.236), "1.24 s");
  EXPECT_EQ(SecondsFigure(7200), "2.00 h");
  EXPECT_EQ(EnergyFigure(4.32e6), "1.20 kWh");
  EXPECT_EQ(CarbonFigure(1234), "1.23 kg");
  EXPECT_EQ(CountFigure(-1234567), "-1,234,567");
  EXPECT_EQ(PercentFigure(-0.00001), "0.0 %");
}

TEST(Figures, AttainmentNeverRoundsUpToAll) {
  EXPECT_EQ(AttainmentFigure(1), "100 %");
  EXPECT_EQ(AttainmentFigure(0.999999), "99.99 %");
  EXPECT_EQ(AttainmentFigure(0.9876), "98.8 %");
}

}  // namespace
}  // namespace spillway
