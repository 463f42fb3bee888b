// What a listener would say of the speech: the E-model of ITU-T G.107 (2015) with its default values, so that
// R = 93.2 - Id - Ie,eff, and the mean opinion score from R by its Annex B.
//
//   Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)     packet loss, random (BurstR 1) or in bursts (above 1)
//   Id     = Idd of clause 7.4, the impairment by a delay from mouth to ear of more than 100 ms; no echo
//
// Ta is the network's one-way delay (0 when nobody can know it) + the sender's 20 ms packet and Opus' look-ahead of
// 6.5 ms (RFC 6716) + a playout buffer of twice the interarrival jitter. What that buffer still has to throw away as
// too late is not modelled. The score is for audio alone, on the narrowband scale: 4.41 is the best there is.
//
// Opus: we know of no ITU-T values of Ie and Bpl for it. Ie = 0, because Opus at the rates used here is not below the
// G.711 reference of the narrowband scale; Bpl = 10 without in-band FEC, the figure of the published rtcscore formula.
#pragma once

#include "core/time.hpp"

namespace avc::stats {

struct Codec {
  double equipment_impairment = 0;     // Ie
  double packet_loss_robustness = 10;  // Bpl
  Nanos own_delay = from_ms(26.5);     // packet duration and look-ahead
};
inline constexpr Codec kOpus{};

struct SpeechPath {
  double loss_percent = 0;  // Ppl
  double burst_ratio = 1;   // BurstR; taken as 1 below that
  double jitter_ms = 0;     // RFC 3550 interarrival jitter
  double delay_ms = 0;      // one way, over the network
};

double delay_impairment(double mouth_to_ear_ms);                           // Idd
double effective_equipment_impairment(const SpeechPath &, const Codec &);  // Ie,eff
double r_factor(const SpeechPath &, const Codec & = kOpus);                // 0 .. 93.2
double mos_from_r(double r);                                               // 1 .. 4.5
double mos(const SpeechPath &, const Codec & = kOpus);

}  // namespace avc::stats
