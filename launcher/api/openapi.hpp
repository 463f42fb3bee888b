// The route table as an OpenAPI 3.1 document.
#pragma once

#include <span>
#include <string>

#include "launcher/http/route.hpp"

namespace avc::api {

namespace http = launcher::http;

std::string openapi(std::span<const http::Route> routes);

}  // namespace avc::api
