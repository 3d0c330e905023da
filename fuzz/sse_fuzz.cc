// SseFramer: however a stream is cut into pieces, the frames are the same. The first byte seeds the
// cuts, the rest is the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/sse.h"

namespace {

using nl::dialect::FrameKind;
using nl::dialect::SseFrame;
using nl::dialect::SseFramer;

void expect(bool holds) {
  if (!holds) std::abort();
}

struct Kept {
  FrameKind kind;
  std::string raw;
  std::string event;
  std::string data;
  bool operator==(const Kept&) const = default;
};

Kept keep(const SseFrame& frame) {
  expect(!frame.raw.empty());
  expect(frame.kind == FrameKind::event || frame.data.empty());
  return {frame.kind, std::string(frame.raw), std::string(frame.event), std::string(frame.data)};
}

std::vector<Kept> frames(std::string_view stream, std::mt19937& random, std::size_t most) {
  SseFramer framer;
  std::vector<Kept> out;
  while (!stream.empty()) {
    const std::size_t piece = std::min<std::size_t>(stream.size(), 1 + random() % most);
    expect(framer.feed(stream.substr(0, piece)).has_value());
    stream.remove_prefix(piece);
    // Sometimes frames wait in the framer while more bytes come.
    if (random() % 4 == 0) continue;
    while (const auto frame = framer.next()) out.push_back(keep(*frame));
  }
  while (const auto frame = framer.finish()) out.push_back(keep(*frame));
  expect(framer.pending_bytes() == 0);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::mt19937 random(data[0]);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = frames(stream, random, stream.size() + 1);
  expect(frames(stream, random, 1) == whole);
  expect(frames(stream, random, 7) == whole);
  expect(frames(stream, random, 64) == whole);
  // Handed-out bytes are the stream's, in order.
  std::size_t at = 0;
  for (const Kept& frame : whole) {
    at = stream.find(frame.raw, at);
    expect(at != std::string_view::npos);
    at += frame.raw.size();
  }
  return 0;
}
