#include "elements/degrader/param_specs.hpp"

#include <algorithm>
#include <vector>

#include "elements/support/properties.hpp"

namespace avc::degrader {
namespace {

constexpr auto kBase = static_cast<int>(G_PARAM_READWRITE) | static_cast<int>(G_PARAM_STATIC_STRINGS);
constexpr auto kChoice = static_cast<GParamFlags>(kBase | kPlaying);
constexpr auto kNumber = static_cast<GParamFlags>(kBase | kControlled);

struct Word {
  const char *nick, *meaning;
};
constexpr Word kWords[] = {
    {"random", "Each packet alone, with loss-correlation"},
    {"burst", "In runs of burst-length packets on average: simple Gilbert model"},
    {"gilbert-elliott", "Two states with ge-p, ge-r, ge-h, ge-k; burst without ge-p"},
    {"markov4", "Four states with markov-p13 and so on"},
    {"pattern", "As loss-pattern says"},
    {"uniform", "The variation to either side, all alike"},
    {"normal", "The variation is the standard deviation"},
    {"pareto", "The variation is a scale: rare long delays, as netem's"},
    {"paretonormal", "A quarter normal, the rest pareto, as netem's"},
    {"gamma", "The whole delay, of that mean and deviation"},
    {"table", "The variation is a scale for delay-table"},
    {"exponential", "Means of exponential times"},
    {"fixed", "Exact times"},
    {"droptail", "The packet that finds no room"},
    {"drophead", "The one that has waited longest"},
    {"codel", "By time waited, RFC 8289"},
    {"pie", "With a probability steered by the wait, RFC 8033"},
    {"pi2", "As pie, its square for classic traffic, RFC 9332"},
    {"off", "Nothing is marked"},
    {"marked", "Packets that say they can be"},
    {"ect0", "All, as ECT(0)"},
    {"ect1", "All, as ECT(1)"},
    {"all", "Every packet"},
    {"video", "Video packets"},
    {"audio", "Audio packets"},
    {"keyframes", "Packets of video keyframes"},
    {"headers", "Packets with parameter sets"},
    {"rtcp", "RTCP"},
};

const char *meaning_of(std::string_view nick) {
  const auto word = std::ranges::find(kWords, nick, [](const Word &w) { return std::string_view(w.nick); });
  return word == std::end(kWords) ? g_intern_string(std::string(nick).c_str()) : word->meaning;
}

// The values live as long as the process, as GObject wants them.
GType enum_of(const net::Setting &setting) {
  std::string name = "Avc";
  bool capital = true;
  for (const char c : setting.name) {
    if (c != '_') name += capital ? g_ascii_toupper(c) : c;
    capital = c == '_';
  }
  auto *values = g_new0(GEnumValue, setting.words.size() + 1);
  for (std::size_t i = 0; i < setting.words.size(); i++) {
    values[i] = {static_cast<gint>(i), meaning_of(setting.words[i]),
                 g_intern_string(std::string(setting.words[i]).c_str())};
  }
  return register_enum(name.c_str(), values);
}

// A kind of GParamSpecDouble (or the like) that tells its range and accepts everything.
GType unchecked(GType base, const char *name) {
  if (const GType known = g_type_from_name(name)) return known;
  GTypeQuery query{};
  g_type_query(base, &query);
  GTypeInfo info{};
  info.class_size = static_cast<guint16>(query.class_size);
  info.instance_size = static_cast<guint16>(query.instance_size);
  info.class_init = [](gpointer klass, gpointer) {
    G_PARAM_SPEC_CLASS(klass)->value_validate = [](GParamSpec *, GValue *) -> gboolean { return FALSE; };
  };
  return g_type_register_static(base, name, &info, static_cast<GTypeFlags>(0));
}

template <class Spec, class Number>
GParamSpec *number_spec(GType type, const char *name, const char *blurb, double low, double high, double fallback) {
  auto *spec = static_cast<Spec *>(g_param_spec_internal(type, name, name, blurb, kNumber));
  spec->minimum = static_cast<Number>(low);
  spec->maximum = static_cast<Number>(high);
  spec->default_value = static_cast<Number>(fallback);
  return G_PARAM_SPEC(spec);
}

const char *blurb_of(const net::Setting &setting) {
  std::string text(setting.meaning);
  text[0] = g_ascii_toupper(text[0]);
  if (!setting.unit.empty()) text.append(", in ").append(setting.unit);
  std::ranges::replace(text, '_', '-');
  return g_intern_string(text.c_str());
}

bool takes_fractions(const net::Setting &setting) {
  net::Impairment trial;
  setting.set(trial, 0.5);
  return setting.get(trial) == 0.5;
}

}  // namespace

std::string property_name(std::string_view setting) {
  std::string name(setting);
  std::ranges::replace(name, '_', '-');
  return name;
}

GParamSpec *spec_of(const net::Setting &setting) {
  const char *name = g_intern_string(property_name(setting.name).c_str());
  const char *blurb = blurb_of(setting);
  const double fallback = setting.get(net::Impairment{});
  if (!setting.is_number()) {
    if (setting.words[0] == "false") return g_param_spec_boolean(name, name, blurb, fallback != 0, kChoice);
    return g_param_spec_enum(name, name, blurb, enum_of(setting), static_cast<gint>(fallback), kChoice);
  }
  const double low = setting.minus_one ? -1 : setting.low;
  if (takes_fractions(setting)) {
    static const GType type = unchecked(G_TYPE_PARAM_DOUBLE, "AvcParamDouble");
    return number_spec<GParamSpecDouble, gdouble>(type, name, blurb, low, setting.high, fallback);
  }
  if (low < 0) {
    static const GType type = unchecked(G_TYPE_PARAM_INT, "AvcParamInt");
    return number_spec<GParamSpecInt, gint>(type, name, blurb, low, setting.high, fallback);
  }
  if (setting.high <= G_MAXUINT) {
    static const GType type = unchecked(G_TYPE_PARAM_UINT, "AvcParamUInt");
    return number_spec<GParamSpecUInt, guint>(type, name, blurb, low, setting.high, fallback);
  }
  static const GType type = unchecked(G_TYPE_PARAM_UINT64, "AvcParamUInt64");
  return number_spec<GParamSpecUInt64, guint64>(type, name, blurb, low, setting.high, fallback);
}

double number_in(const GValue *value) {
  if (G_VALUE_HOLDS_BOOLEAN(value)) return g_value_get_boolean(value) ? 1 : 0;
  if (G_VALUE_HOLDS_ENUM(value)) return g_value_get_enum(value);
  if (G_VALUE_HOLDS_INT(value)) return g_value_get_int(value);
  if (G_VALUE_HOLDS_UINT(value)) return g_value_get_uint(value);
  if (G_VALUE_HOLDS_UINT64(value)) return static_cast<double>(g_value_get_uint64(value));
  return g_value_get_double(value);
}

void put_number(GValue *value, double number) {
  if (G_VALUE_HOLDS_BOOLEAN(value)) return g_value_set_boolean(value, number != 0);
  if (G_VALUE_HOLDS_ENUM(value)) return g_value_set_enum(value, static_cast<gint>(number));
  if (G_VALUE_HOLDS_INT(value)) return g_value_set_int(value, static_cast<gint>(number));
  if (G_VALUE_HOLDS_UINT(value)) return g_value_set_uint(value, static_cast<guint>(number));
  if (G_VALUE_HOLDS_UINT64(value)) return g_value_set_uint64(value, static_cast<guint64>(number));
  g_value_set_double(value, number);
}

}  // namespace avc::degrader
