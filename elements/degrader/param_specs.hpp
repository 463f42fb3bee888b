// GObject's description of a link's settings: type, range, default and blurb from core/net/settings.hpp.
//
// Their range is for those who ask (gst-inspect-1.0, controllers that scale to it). It is not enforced by GObject,
// which would print a critical warning and go on: whoever stores the value checks it and can tell the user.
#pragma once

#include <gst/gst.h>

#include <string>
#include <string_view>

#include "core/net/settings.hpp"

namespace avc::degrader {

std::string property_name(std::string_view setting);  // with '-' for '_'

// Booleans, enums (their nicks are the setting's words), whole numbers and doubles; numbers are controllable.
GParamSpec *spec_of(const net::Setting &setting);

// The value of such a property as the core has it, whatever its type.
double number_in(const GValue *value);
void put_number(GValue *value, double number);

}  // namespace avc::degrader
