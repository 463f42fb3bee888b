// A table of rows says everything about an element's plain properties: name, blurb, where the value lives in the
// element's Settings, range, and when it may change. Defaults are those of a fresh Settings and stand nowhere else.
//
//   struct Settings { double loss_percent = 0; Mode mode = Mode::fast; };
//   const Property<Settings> kProperties[] = {
//     {"loss-percent", "Packets to drop, in percent", &Settings::loss_percent, 0, 100, kControlled},
//     {"mode", "How it is done", choice<Settings, &Settings::mode>(mode_type)},
//   };
//   install(object_class, kProperties);   // ids 1..n in the order of the table
//   store(*settings.lock(), kProperties[id - 1], value);
//   fetch(*settings.lock(), kProperties[id - 1], value);
//
// Whatever is not one value in Settings (stats, caps, signals) is installed by hand after the table.
#pragma once

#include <gst/gst.h>

#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace avc {

// When a property takes effect.
inline constexpr auto kPlaying = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING);
inline constexpr auto kReady = static_cast<GParamFlags>(GST_PARAM_MUTABLE_READY);
inline constexpr auto kControlled = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE);

// An enum of Settings, by the GType that gives its nicks. Made by choice().
template <class S>
struct Choice {
  GType (*type)();
  int (*get)(const S &);
  void (*set)(S &, int);
};

template <class S, auto Member>
constexpr Choice<S> choice(GType (*type)()) {
  using E = std::remove_reference_t<decltype(std::declval<S &>().*Member)>;
  return {type, [](const S &s) { return static_cast<int>(s.*Member); },
          [](S &s, int value) { s.*Member = static_cast<E>(value); }};
}

// Registers an enum once. `values` ends with a row of zeros and lives as long as the process.
inline GType register_enum(const char *type_name, const GEnumValue *values) {
  const GType known = g_type_from_name(type_name);
  return known ? known : g_enum_register_static(type_name, values);
}

// Numbers without a range (low == high) take all that their type holds.
template <class S>
struct Property {
  const char *name, *blurb;
  std::variant<bool S::*, gint S::*, guint S::*, guint64 S::*, double S::*, std::string S::*, Choice<S>> slot;
  double low = 0, high = 0;
  GParamFlags when = kPlaying;
};

namespace detail {

template <class... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overload(Fs...) -> Overload<Fs...>;

template <class N, class S>
N lowest(const Property<S> &p) {
  return p.low == p.high ? std::numeric_limits<N>::lowest() : static_cast<N>(p.low);
}
template <class N, class S>
N highest(const Property<S> &p) {
  return p.low == p.high ? std::numeric_limits<N>::max() : static_cast<N>(p.high);
}

}  // namespace detail

template <class S>
GParamSpec *make_spec(const Property<S> &p) {
  const S def{};
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | p.when);
  const auto spec = [&](auto make, auto low, auto high, auto fallback) {
    return make(p.name, p.name, p.blurb, low, high, fallback, flags);
  };
  using detail::highest, detail::lowest;
  return std::visit(
      detail::Overload{
          [&](bool S::*m) { return g_param_spec_boolean(p.name, p.name, p.blurb, def.*m, flags); },
          [&](gint S::*m) { return spec(g_param_spec_int, lowest<gint>(p), highest<gint>(p), def.*m); },
          [&](guint S::*m) { return spec(g_param_spec_uint, lowest<guint>(p), highest<guint>(p), def.*m); },
          [&](guint64 S::*m) { return spec(g_param_spec_uint64, lowest<guint64>(p), highest<guint64>(p), def.*m); },
          [&](double S::*m) { return spec(g_param_spec_double, lowest<double>(p), highest<double>(p), def.*m); },
          [&](std::string S::*m) {
            // GObject keeps the default of a string by reference: an interned copy outlives `def`.
            const char *text = (def.*m).empty() ? nullptr : g_intern_string((def.*m).c_str());
            return g_param_spec_string(p.name, p.name, p.blurb, text, flags);
          },
          [&](const Choice<S> &c) { return g_param_spec_enum(p.name, p.name, p.blurb, c.type(), c.get(def), flags); }},
      p.slot);
}

// Installs the rows under the ids 1..n.
template <class S, std::size_t N>
void install(GObjectClass *klass, const Property<S> (&table)[N]) {
  for (std::size_t i = 0; i < N; i++)
    g_object_class_install_property(klass, static_cast<guint>(i + 1), make_spec(table[i]));
}

// GObject has checked range and NaN before this is called.
template <class S>
void store(S &settings, const Property<S> &p, const GValue *value) {
  std::visit(detail::Overload{[&](bool S::*m) { settings.*m = g_value_get_boolean(value); },
                              [&](gint S::*m) { settings.*m = g_value_get_int(value); },
                              [&](guint S::*m) { settings.*m = g_value_get_uint(value); },
                              [&](guint64 S::*m) { settings.*m = g_value_get_uint64(value); },
                              [&](double S::*m) { settings.*m = g_value_get_double(value); },
                              [&](std::string S::*m) {
                                const char *text = g_value_get_string(value);
                                settings.*m = text ? text : "";
                              },
                              [&](const Choice<S> &c) { c.set(settings, g_value_get_enum(value)); }},
             p.slot);
}

template <class S>
void fetch(const S &settings, const Property<S> &p, GValue *value) {
  std::visit(detail::Overload{[&](bool S::*m) { g_value_set_boolean(value, settings.*m); },
                              [&](gint S::*m) { g_value_set_int(value, settings.*m); },
                              [&](guint S::*m) { g_value_set_uint(value, settings.*m); },
                              [&](guint64 S::*m) { g_value_set_uint64(value, settings.*m); },
                              [&](double S::*m) { g_value_set_double(value, settings.*m); },
                              [&](std::string S::*m) {
                                g_value_set_string(value, (settings.*m).empty() ? nullptr : (settings.*m).c_str());
                              },
                              [&](const Choice<S> &c) { g_value_set_enum(value, c.get(settings)); }},
             p.slot);
}

}  // namespace avc
