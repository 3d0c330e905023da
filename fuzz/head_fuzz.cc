// Request and response heads: what is refused is refused at every split alike, and what passes says
// the same as its bytes. The first byte picks the side and seeds the cuts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "http/head.h"

namespace {

using namespace nl::http;

void expect(bool holds) {
  if (!holds) std::abort();
}

void expect_within(std::string_view part, std::string_view whole) {
  expect(part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

// What no part of a head that passed may hold: it would end a line, or hide one.
void expect_clean(std::string_view text) {
  expect(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
}

void check_headers(const Headers& headers, std::string_view head) {
  expect(headers.all().size() <= kHeadersMax);
  for (const Header& field : headers.all()) {
    expect(!field.name.empty());
    expect(field.name.find_first_of(" \t:") == std::string_view::npos);
    expect_clean(field.name);
    expect_clean(field.value);
    expect_within(field.name, head);
    expect_within(field.value, head);
  }
}

void check_framing(const Headers& headers, Framing framing) {
  const std::size_t lengths = headers.count("content-length");
  const std::size_t codings = headers.count("transfer-encoding");
  expect(lengths <= 1 && codings <= 1 && lengths + codings <= 1);
  expect(framing != Framing::length || lengths == 1);
  expect(framing != Framing::chunked || codings == 1);
}

void check_request(std::string_view text) {
  const auto head = parse_request_head(text);
  if (!head) {
    expect(head.error().status >= 400);
    return;
  }
  expect(head->minor_version == 0 || head->minor_version == 1);
  expect(head->headers.count("host") <= 1);
  expect(!head->target.empty());
  expect_clean(head->target);
  expect(head->target.find_first_of(" #") == std::string_view::npos);
  expect(head->target.starts_with(head->path));
  expect(head->framing != Framing::until_close);
  expect(head->framing != Framing::chunked || head->minor_version == 1);
  check_framing(head->headers, head->framing);
  check_headers(head->headers, text);
}

void check_response(std::string_view text, std::string_view method) {
  const auto head = parse_response_head(text, method);
  if (!head) return;
  expect(head->status >= 100 && head->status <= 999);
  if (method == "HEAD" || head->status == 204 || head->status == 304) {
    expect(head->framing == Framing::none);
  } else {
    check_framing(head->headers, head->framing);
  }
  check_headers(head->headers, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::mt19937 random(data[0]);
  const bool request = data[0] % 2 == 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t limit = request ? kHeadBytesMax : kResponseHeadBytesMax;

  const auto end = find_head_end(bytes, limit);
  // A head that is found is found as soon as its last byte is there, and never before; what is
  // refused early stays refused.
  if (end && *end > 0) {
    expect(*end <= bytes.size() && *end <= limit);
    const auto exact = find_head_end(bytes.substr(0, *end), limit);
    expect(exact && *exact == *end);
    const std::size_t cut = random() % *end;
    const auto early = find_head_end(bytes.substr(0, cut), limit);
    expect(early && *early == 0);
  } else {
    const auto early = find_head_end(bytes.substr(0, random() % (bytes.size() + 1)), limit);
    expect(!early || *early == 0);
    expect(early || !end);
  }

  const std::string_view head = end && *end > 0 ? bytes.substr(0, *end) : bytes;
  if (!end || *end == 0) return 0;
  if (request) {
    check_request(head);
  } else {
    check_response(head, data[0] % 4 == 1 ? "POST" : "HEAD");
  }
  return 0;
}
