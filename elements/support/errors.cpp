#include "elements/support/errors.hpp"

namespace avc {
namespace {

struct DomainCode {
  GQuark domain;
  gint code;
};

DomainCode domain_code(Fault fault) {
  switch (fault) {
    case Fault::settings:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    case Fault::not_found:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case Fault::open_read:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ};
    case Fault::open_write:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE};
    case Fault::write:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE};
    case Fault::format:
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
    case Fault::failed:
      break;
  }
  return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
}

void post(GstElement *element, GstMessageType type, Fault fault, const Error &error, const std::string &detail) {
  const auto [domain, code] = domain_code(fault);
  GstStructure *details = nullptr;
  if (!error.field.empty())
    details = gst_structure_new("avchaos-fault", "field", G_TYPE_STRING, error.field.c_str(), "message", G_TYPE_STRING,
                                error.message.c_str(), nullptr);
  // gst_element_message_full_with_details takes both texts and the details
  gst_element_message_full_with_details(element, type, domain, code, g_strdup(error.text().c_str()),
                                        detail.empty() ? nullptr : g_strdup(detail.c_str()), __FILE__, GST_FUNCTION,
                                        __LINE__, details);
}

}  // namespace

void post_error(GstElement *element, Fault fault, const Error &error, const std::string &detail) {
  post(element, GST_MESSAGE_ERROR, fault, error, detail);
}

void post_warning(GstElement *element, Fault fault, const Error &error, const std::string &detail) {
  post(element, GST_MESSAGE_WARNING, fault, error, detail);
}

}  // namespace avc
