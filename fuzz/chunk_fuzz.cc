// ChunkDecoder: however the bytes arrive, the body, its end and the verdict are the same; and a
// body that was cut into chunks comes out whole. The first byte seeds the cuts and picks which.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "http/chunk.h"

namespace {

using nl::http::ChunkDecoder;

void expect(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::string body;
  std::size_t consumed = 0;
  bool complete = false;
  bool failed = false;
};

Outcome decode(std::string_view bytes, std::mt19937& random, std::size_t most) {
  Outcome out;
  ChunkDecoder decoder;
  while (!bytes.empty() && !out.complete && !out.failed) {
    std::string piece(bytes.substr(0, 1 + random() % most));
    const std::size_t given = piece.size();
    const auto decoded = decoder.decode(piece);
    if (!decoded) {
      out.failed = true;
      // It has failed for good.
      std::string more = "0\r\n\r\n";
      expect(!decoder.decode(more) && !decoder.complete());
      break;
    }
    expect(decoded->consumed <= given && decoded->data <= decoded->consumed);
    out.body.append(piece, 0, decoded->data);
    out.consumed += decoded->consumed;
    out.complete = decoder.complete();
    expect(out.complete || decoded->consumed == given);
    bytes.remove_prefix(given);
  }
  return out;
}

void check_any(std::string_view bytes, std::mt19937& random) {
  const Outcome whole = decode(bytes, random, bytes.size() + 1);
  for (const std::size_t most : {1u, 3u, 64u}) {
    const Outcome cut = decode(bytes, random, most);
    expect(cut.complete == whole.complete && cut.failed == whole.failed);
    if (whole.failed) continue;  // how much came out before is a matter of the pieces
    expect(cut.body == whole.body);
    expect(!whole.complete || cut.consumed == whole.consumed);
  }
}

void check_round_trip(std::string_view body, std::mt19937& random) {
  std::string sent;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::min<std::size_t>(body.size() - at, 1 + random() % 300);
    // The extensions of one body have a bound together.
    const bool extended = random() % 2 == 0 && sent.size() < 20'000;
    const std::string line =
        extended ? fmt::format("{:04X};a=b\r\n", size) : fmt::format("{:x}\r\n", size);
    sent.append(line).append(body.substr(at, size)).append("\r\n");
    at += size;
  }
  sent += "0\r\n\r\n";
  const std::size_t end = sent.size();
  sent += "HTTP/1.1 200 OK\r\n";
  const Outcome out = decode(sent, random, 1 + random() % 400);
  expect(out.complete && out.body == body);
  expect(out.consumed == end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::mt19937 random(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 0) {
    check_round_trip(bytes.substr(0, 1 << 16), random);
  } else {
    check_any(bytes, random);
  }
  return 0;
}
