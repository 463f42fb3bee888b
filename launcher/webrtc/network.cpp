#include "launcher/webrtc/network.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "elements/support/chaos_events.hpp"
#include "launcher/session/chain.hpp"
#include "launcher/session/setter.hpp"

namespace avc::webrtc {
namespace {

using session::Setter;

constexpr std::array<std::string_view, 2> kBothWays{"blackout", "rtcp_loss"};

Ptr<GstElement> new_degrader() {
  GstElement *made = gst_element_factory_make("chaosdegrader", nullptr);
  return take(made != nullptr ? GST_ELEMENT(gst_object_ref_sink(made)) : nullptr);
}

// Does the way back have to know of this?
bool concerns_way_back(GstEvent *event) {
  if (const auto spike = parse_spike_start(event)) return std::ranges::find(kBothWays, spike->type) != kBothWays.end();
  return parse_spike_end(event) || parse_participant(event);
}

// Between what `pad` belongs to and its peer.
void insert(GstElement *degrader, GstPad *pad) {
  const auto peer = take(gst_pad_get_peer(pad));
  GstObject *element = GST_OBJECT_PARENT(pad);
  if (GST_OBJECT_PARENT(degrader) != nullptr || !peer || element == nullptr) return;
  const bool is_source = GST_PAD_IS_SRC(pad);
  GstPad *source = is_source ? pad : peer.get(), *sink = is_source ? peer.get() : pad;
  gst_pad_unlink(source, sink);
  gst_bin_add(GST_BIN(GST_OBJECT_PARENT(element)), degrader);
  const auto in = take(gst_element_get_static_pad(degrader, "sink"));
  const auto out = take(gst_element_get_static_pad(degrader, "src"));
  gst_pad_link(source, in.get());
  gst_pad_link(out.get(), sink);
  gst_element_sync_state_with_parent(degrader);
}

}  // namespace

Result<std::unique_ptr<Network>> Network::make(const NetworkSettings &settings) {
  std::unique_ptr<Network> made(new Network());
  made->out_ = new_degrader();
  made->back_ = new_degrader();
  if (!made->out_ || !made->back_)
    return Error{"chaosdegrader", "this element cannot be made; is plugin avchaos there"};
  Setter out(made->out_.get()), back(made->back_.get());
  session::set_base(out, settings.base);
  out("context", settings.context);
  back("context", settings.context)("way-back", true);
  for (Setter *each : {&out, &back}) {
    (*each)("seed", settings.seed);
    if (!settings.decision_log.empty()) (*each)("decision-log", settings.decision_log);
    if (auto outcome = each->outcome(); !outcome) return outcome.error();
  }
  return made;
}

void Network::place_before(GstElement *nicesink) {
  const auto pad = take(gst_element_get_static_pad(nicesink, "sink"));
  insert(out_.get(), pad.get());
  // Not in its turn: whoever receives may be busy, and the thread here serves other participants.
  const auto in = take(gst_element_get_static_pad(out_.get(), "sink"));
  gst_pad_add_probe(
      in.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad *, GstPadProbeInfo *info, gpointer back) noexcept {
        GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
        if (concerns_way_back(event)) {
          const auto sink = take(gst_element_get_static_pad(static_cast<GstElement *>(back), "sink"));
          gst_pad_send_event(sink.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                                                              gst_structure_copy(gst_event_get_structure(event))));
        }
        return GST_PAD_PROBE_OK;
      },
      gst_object_ref(back_.get()), gst_object_unref);
}

void Network::place_behind(GstElement *nicesrc) {
  const auto pad = take(gst_element_get_static_pad(nicesrc, "src"));
  insert(back_.get(), pad.get());
}

void Network::set_rtx_payload_type(unsigned payload_type) {
  g_object_set(out_.get(), "rtx-payload-type", payload_type, nullptr);
}

}  // namespace avc::webrtc
