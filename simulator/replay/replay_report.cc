#include "simulator/replay/replay_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "formats/json_writer.h"
#include "formats/units.h"

namespace spillway {
namespace {

std::string Whole(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

void CountLine(std::string& out, const char* what, const RedecidedCount& count) {
  absl::StrAppendFormat(&out, "%s: %d decided again, %d equal, %d differing", what,
                        count.compared(), count.equal, count.differing);
  if (count.not_kept > 0)
    absl::StrAppend(&out, "; of ", count.not_kept, " more nothing is kept to compare with");
  if (count.not_redone > 0)
    absl::StrAppend(&out, "; ", count.not_redone,
                    " could not be decided again: what they were decided by is no longer kept");
  out.push_back('\n');
}

std::int64_t EpochsSeen(const LogExtent& log) {
  std::int64_t seen = 0;
  for (const LogEpoch& epoch : log.epochs)
    seen += epoch.event >= log.first && epoch.event <= log.last;
  return seen;
}

void MeasuredLine(std::string& out, const char* what, const Measured& measured) {
  if (!measured.known()) return;
  absl::StrAppendFormat(&out, "  %-22s %12.6f %12.6f  %5.1f %%\n", what, measured.recorded,
                        measured.simulated, 100 * measured.error());
}

void BackTestLines(std::string& out, const BackTest& test) {
  absl::StrAppendFormat(&out, "\n  %-22s %12s %12s  %7s\n", "back-test", "recorded", "simulated",
                        "off by");
  MeasuredLine(out, "bill, USD", test.cost);
  MeasuredLine(out, "TTFT mean, s", test.ttft_mean);
  MeasuredLine(out, "TTFT p99, s", test.ttft_p99);
  MeasuredLine(out, "latency mean, s", test.latency_mean);
  MeasuredLine(out, "latency p99, s", test.latency_p99);
  MeasuredLine(out, "job turnaround, s", test.turnaround_mean);
  MeasuredLine(out, "in time, fraction", test.attainment);
  for (const PoolShare& share : test.shares) {
    absl::StrAppendFormat(&out, "  %-22s %10.2f %% %10.2f %%  %5.1f points\n",
                          absl::StrCat("share of ", share.pool), 100 * share.recorded,
                          100 * share.simulated, 100 * std::abs(share.simulated - share.recorded));
  }
}

// --- replay.json ---------------------------------------------------------------------------------

void WriteCount(JsonWriter& w, std::string_view key, const RedecidedCount& count) {
  w.Key(key).BeginObject().Member("compared", count.compared()).Member("equal", count.equal);
  w.Member("differing", count.differing).Member("not_kept", count.not_kept);
  w.Member("not_redone", count.not_redone).EndObject();
}

void WriteLog(JsonWriter& w, const Redecided& redecided) {
  const LogExtent& log = redecided.log;
  w.Key("log").BeginObject().Member("first_event", Number(log.first));
  w.Member("last_event", Number(log.last)).Member("events", redecided.events);
  w.Member("whole", log.is_whole()).Member("from", Format(redecided.from));
  w.Member("until", Format(redecided.until)).Key("epochs").BeginArray();
  for (const LogEpoch& epoch : log.epochs) {
    if (epoch.event > log.last) continue;
    w.BeginObject().Member("epoch", epoch.number).Member("event", Number(epoch.event));
    w.Member("at", Format(epoch.at)).EndObject();
  }
  w.EndArray().EndObject();
}

void WriteMeasured(JsonWriter& w, std::string_view key, const Measured& measured) {
  w.Key(key).BeginObject().Member("recorded", measured.recorded);
  w.Member("simulated", measured.simulated);
  if (measured.known()) {
    w.Member("error", measured.error());
  } else {
    w.NullMember("error");
  }
  w.EndObject();
}

void WriteBackTest(JsonWriter& w, const BackTest& test) {
  w.BeginObject();
  WriteMeasured(w, "cost_usd", test.cost);
  WriteMeasured(w, "ttft_mean_s", test.ttft_mean);
  WriteMeasured(w, "ttft_p99_s", test.ttft_p99);
  WriteMeasured(w, "latency_mean_s", test.latency_mean);
  WriteMeasured(w, "latency_p99_s", test.latency_p99);
  WriteMeasured(w, "job_turnaround_mean_s", test.turnaround_mean);
  WriteMeasured(w, "slo_attainment", test.attainment);
  w.Key("pool_shares").BeginArray();
  for (const PoolShare& share : test.shares) {
    w.BeginObject().Member("pool", share.pool).Member("recorded", share.recorded);
    w.Member("simulated", share.simulated).EndObject();
  }
  w.EndArray().Member("worst_share_gap", test.worst_share_gap()).EndObject();
}

}  // namespace

std::string ReplayText(const ReplayReport& report) {
  const Redecided& r = report.redecided;
  std::string out = absl::StrFormat("%d events of %d starts, %s to %s\n", r.events,
                                    EpochsSeen(r.log), Whole(r.from), Whole(r.until));
  if (!r.log.is_whole()) {
    absl::StrAppendFormat(&out,
                          "The log begins with event %d: what came before was swept away, so "
                          "decisions about jobs cannot be made again.\n",
                          Number(r.log.first));
  }
  CountLine(out, "Decisions about jobs", r.decisions);
  CountLine(out, "Requests", r.requests);
  for (const RedecidedDifference& difference : r.first)
    absl::StrAppend(&out, "  ", difference.what, ": ", difference.how, "\n");
  const std::int64_t more =
      r.decisions.differing + r.requests.differing - static_cast<std::int64_t>(r.first.size());
  if (more > 0) absl::StrAppend(&out, "  and ", more, " more\n");
  if (report.rerun != nullptr) BackTestLines(out, report.rerun->back_test);
  for (const std::string& note : report.notes) absl::StrAppend(&out, "Note: ", note, "\n");
  if (report.rerun == nullptr) return out;
  for (const std::string& note : report.rerun->notes) absl::StrAppend(&out, "Note: ", note, "\n");
  return out;
}

std::string ReplayJson(const ReplayReport& report) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject();
  WriteLog(w, report.redecided);
  WriteCount(w, "decisions", report.redecided.decisions);
  WriteCount(w, "requests", report.redecided.requests);
  w.Member("all_equal", report.redecided.all_equal()).Key("differing").BeginArray();
  for (const RedecidedDifference& difference : report.redecided.first)
    w.BeginObject().Member("what", difference.what).Member("how", difference.how).EndObject();
  w.EndArray().Key("back_test");
  if (report.rerun != nullptr) {
    WriteBackTest(w, report.rerun->back_test);
    w.Member("verdict", report.rerun->outcome.verdict);
  } else {
    w.Null().NullMember("verdict");
  }
  w.Key("notes").BeginArray();
  for (const std::string& note : report.notes) w.Value(note);
  if (report.rerun != nullptr) {
    for (const std::string& note : report.rerun->notes) w.Value(note);
  }
  w.EndArray().EndObject();
  out.push_back('\n');
  return out;
}

}  // namespace spillway
