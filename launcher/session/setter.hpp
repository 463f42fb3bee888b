// Setting properties of an element of which only the factory's name is known, and the link's base among them.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <string>

#include "core/json/conditions.hpp"
#include "core/result.hpp"

namespace avc::session {

// Sets properties of one element and remembers the first that it does not have: the plugin is then another version's.
class Setter {
 public:
  explicit Setter(GstElement *element) : element_(element) {}

  // The value is made into the property's own type (a number of another width, for one).
  Setter &operator()(const char *property, double value) {
    return put(property, G_TYPE_DOUBLE, g_value_set_double, value);
  }
  Setter &operator()(const char *property, std::uint64_t value) {
    return put(property, G_TYPE_UINT64, g_value_set_uint64, value);
  }
  Setter &operator()(const char *property, bool value) {
    return put(property, G_TYPE_BOOLEAN, g_value_set_boolean, static_cast<gboolean>(value));
  }
  Setter &operator()(const char *property, const std::string &value) {
    return put(property, G_TYPE_STRING, g_value_set_string, value.c_str());
  }
  Setter &by_nick(const char *property, const char *nick) {
    if (has(property)) gst_util_set_object_arg(G_OBJECT(element_), property, nick);
    return *this;
  }

  Result<bool> outcome() const {
    if (missing_.empty()) return true;
    GstElementFactory *factory = gst_element_get_factory(element_);
    return Error{GST_OBJECT_NAME(factory),
                 "has no property \"" + missing_ + "\": not the plugin this daemon belongs to"};
  }

 private:
  bool has(const char *property) {
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element_), property) != nullptr) return true;
    if (missing_.empty()) missing_ = property;
    return false;
  }
  template <class Set, class T>
  Setter &put(const char *property, GType type, Set set, T value) {
    if (!has(property)) return *this;
    GValue boxed = G_VALUE_INIT;
    g_value_init(&boxed, type);
    set(&boxed, value);
    g_object_set_property(G_OBJECT(element_), property, &boxed);
    g_value_unset(&boxed);
    return *this;
  }

  GstElement *element_;
  std::string missing_;
};

// What differs from a perfect network, in an order that contradicts nothing on the way.
void set_base(Setter &set, const json::Network &network);

}  // namespace avc::session
