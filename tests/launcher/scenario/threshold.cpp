#include "launcher/scenario/threshold.hpp"

#include "tests/check.hpp"

namespace {

using avc::scenario::Aggregate;
using avc::scenario::Comparison;
using avc::scenario::find_metric;
using avc::scenario::holds;
using avc::scenario::metrics;
using avc::scenario::parse_threshold;
using avc::scenario::Threshold;

START_TEST(an_expression_is_read_into_its_parts) {
  struct Row {
    const char *metric, *expr;
    Aggregate aggregate;
    double percentile;
    Comparison comparison;
    double limit;
  };
  const Row rows[] = {
      {"loss_percent", "avg<2", Aggregate::avg, 0, Comparison::less, 2},
      {"loss-percentage", "max <= 0.5", Aggregate::max, 0, Comparison::less_equal, 0.5},
      {"jitter_ms", " p(99.9) < 30 ", Aggregate::percentile, 99.9, Comparison::less, 30},
      {"mos_score", "min>=3.5", Aggregate::min, 0, Comparison::greater_equal, 3.5},
      {"mos_score", "last > 4", Aggregate::last, 0, Comparison::greater, 4},
      {"freeze_count", "count == 0", Aggregate::count, 0, Comparison::equal, 0},
      {"freeze_count", "rate != 1e-1", Aggregate::rate, 0, Comparison::not_equal, 0.1},
      {"queue_ms", "med<-1", Aggregate::med, 0, Comparison::less, -1},
  };
  for (const auto &row : rows) {
    const auto got = parse_threshold(row.metric, row.expr);
    ck_assert_msg(bool(got), "%s %s: %s", row.metric, row.expr, got ? "" : got.error().text().c_str());
    ck_assert_msg(got->aggregate == row.aggregate, "%s", row.expr);
    ck_assert_double_eq(got->percentile, row.percentile);
    ck_assert_msg(got->comparison == row.comparison, "%s", row.expr);
    ck_assert_double_eq(got->limit, row.limit);
  }
}
END_TEST

START_TEST(selectors_narrow_a_metric) {
  const auto got = parse_threshold("loss_percent{media:video, spike_type:rtp_packet_loss}", "avg<2");
  ck_assert(bool(got));
  ck_assert_str_eq(got->metric.c_str(), "loss_percent");
  ck_assert_str_eq(got->selectors.at("media").c_str(), "video");
  ck_assert_str_eq(got->selectors.at("spike_type").c_str(), "rtp_packet_loss");
  ck_assert_str_eq(got->metric_text.c_str(), "loss_percent{media:video, spike_type:rtp_packet_loss}");
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused_and_named) {
  const struct {
    const char *metric, *expr, *says;
  } rows[] = {
      {"los_percent", "avg<2", "unknown metric"},
      {"", "avg<2", "unknown metric"},
      {"loss_percent", "", "not an aggregate"},
      {"loss_percent", "avg", "not an aggregate"},
      {"loss_percent", "avg<", "needs a number"},
      {"loss_percent", "avg<two", "needs a number"},
      {"loss_percent", "avg<nan", "needs a number"},
      {"loss_percent", "avg<inf", "needs a number"},
      {"loss_percent", "avg<2 and more", "needs a number"},
      {"loss_percent", "mean<2", "unknown aggregate"},
      {"loss_percent", "count<2", "has no count"},
      {"loss_percent", "last<2", "has no last"},
      {"jitter_ms", "rate<2", "has no rate"},
      {"freeze_count", "avg<2", "has no avg"},
      {"freeze_count", "p(95)<2", "has no p(95)"},
      {"jitter_ms", "p(101)<2", "0 to 100"},
      {"jitter_ms", "p()<2", "0 to 100"},
      {"loss_percent{media:video", "avg<2", "is missing"},
      {"loss_percent{media}", "avg<2", "not name:value"},
      {"loss_percent{media:smell}", "avg<2", "video or audio"},
      {"loss_percent{colour:red}", "avg<2", "unknown selector"},
      {"loss_percent{media:video,media:audio}", "avg<2", "given twice"},
      {"participants_active{media:video}", "avg<2", "it has none"},
  };
  for (const auto &row : rows) {
    const auto got = parse_threshold(row.metric, row.expr);
    ck_assert_msg(!got, "%s %s was accepted", row.metric, row.expr);
    ck_assert_msg(got.error().message.find(row.says) != std::string::npos, "%s %s: %s", row.metric, row.expr,
                  got.error().message.c_str());
    ck_assert(got.error().field == std::string("thresholds.") + row.metric);
  }
}
END_TEST

START_TEST(every_metric_is_found_by_its_name) {
  for (const auto &metric : metrics()) ck_assert(find_metric(metric.name) == &metric);
  ck_assert(!find_metric("nothing"));
}
END_TEST

START_TEST(a_comparison_holds_as_it_reads) {
  const struct {
    const char *expr;
    bool below, at, above;  // of 2
  } rows[] = {{"avg<2", true, false, false}, {"avg<=2", true, true, false},  {"avg>2", false, false, true},
              {"avg>=2", false, true, true}, {"avg==2", false, true, false}, {"avg!=2", true, false, true}};
  for (const auto &row : rows) {
    const auto threshold = parse_threshold("loss_percent", row.expr);
    ck_assert_msg(holds(*threshold, 1.9) == row.below, "%s", row.expr);
    ck_assert_msg(holds(*threshold, 2.0) == row.at, "%s", row.expr);
    ck_assert_msg(holds(*threshold, 2.1) == row.above, "%s", row.expr);
  }
}
END_TEST

}  // namespace

AVC_TESTS("threshold", an_expression_is_read_into_its_parts, selectors_narrow_a_metric,
          what_cannot_be_meant_is_refused_and_named, every_metric_is_found_by_its_name, a_comparison_holds_as_it_reads)
