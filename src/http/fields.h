// Fields: the header lines of a head and what they say about framing; shared by requests and
// responses.
//
// A pure function over one whole head's lines. It refuses whatever two parsers could read
// differently; the error's status is the one to answer a request with. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace nl::http {

enum class Side : std::uint8_t { request, response };

// What the header lines said, with the first value of each field that may come once.
struct Fields {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool connection_close = false;
  bool connection_keep_alive = false;
  std::optional<std::string_view> host;
  std::optional<std::string_view> expect;
  std::optional<std::string_view> content_encoding;
};

// Takes `lines` (everything between the first line and the empty line, each with its CRLF) apart,
// adding every field to `headers`.
Result<Fields> parse_fields(std::string_view lines, Side side, Headers& headers);

// True when `text` is a token of RFC 9110: what a method or a field name may be.
bool is_token(std::string_view text);
// True when all of `text` may stand in a field value.
bool is_field_text(std::string_view text);

// A Host value: name, IPv4 or bracketed IPv6, optionally a port. No userinfo, path, comma, space.
bool is_host(std::string_view text);

}  // namespace nl::http
