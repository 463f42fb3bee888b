// Profiles of a user's own file, as the daemon's --profiles reads them, and those that are built in.
#pragma once

#include <string>

#include "core/json/conditions.hpp"
#include "core/result.hpp"

namespace avc::degrader {

// The error has no field; its text names the file and, for each fault, profile and setting.
Result<json::Conditions> read_profiles(const std::string &path);

// A profile of the user's or a built-in one. The error's field is the property `profile`.
Result<json::Network> named_network(const json::Conditions &own, const std::string &name);

}  // namespace avc::degrader
