// What is done to a buffer that a link corrupts or duplicates. Other buffers may share its memory (the payload of one
// frame is shared by all participants), so nothing is ever written into memory that was there before.
#pragma once

#include <gst/gst.h>

#include <cstdint>

#include "elements/support/ptr.hpp"

namespace avc::degrader {

// The same packet (a frame's, if it is a frame of one) with one bit changed, counted from its first byte: byte bit / 8,
// mask 1 << bit % 8. Copies the memory that the bit lies in; a bit behind the end changes nothing.
[[nodiscard]] Ptr<GstBuffer> with_bit_changed(Ptr<GstBuffer> buffer, std::uint32_t bit);

// A buffer of its own round the same memory.
[[nodiscard]] Ptr<GstBuffer> duplicate_of(GstBuffer *buffer);

}  // namespace avc::degrader
