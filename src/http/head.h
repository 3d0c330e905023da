// Request and response heads: the one strict HTTP/1.1 parser, for both sides.
//
// Refuses every framing doubt: bare LF, CR or NUL, obs-fold, spaces before a colon, empty or
// repeated Content-Length, Transfer-Encoding other than exactly `chunked`, both together, TE with
// HTTP/1.0, more than one Host, non-token names, 8-bit bytes in names, targets with spaces,
// controls or a fragment, header lines hidden in another's value. Views point into the bytes
// given, which must outlive the head. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::http {

inline constexpr std::size_t kHeadBytesMax = 32 * 1024;
inline constexpr std::size_t kResponseHeadBytesMax = 64 * 1024;
inline constexpr std::size_t kHeadersMax = 100;

struct Header {
  std::string_view name;
  std::string_view value;
};

// True when both are equal, ASCII case aside.
bool same_name(std::string_view a, std::string_view b);

class Headers {
 public:
  // The value of the first field of that name (any case), or nothing.
  std::optional<std::string_view> find(std::string_view name) const;
  // How often that name occurs.
  std::size_t count(std::string_view name) const;
  std::span<const Header> all() const { return fields_; }
  // False when kHeadersMax is reached.
  bool add(Header field);

 private:
  std::vector<Header> fields_;
};

enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as sent: path and query
  std::string_view path;    // up to '?'
  std::string_view query;   // after '?', without it
  std::string_view host;    // value of Host
  int minor_version = 1;
  Headers headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  Headers headers;
  Framing framing = Framing::none;  // until_close when neither length nor chunked
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

// The length of the head at the start of `bytes`, its empty line included; 0 while incomplete.
// Fails as soon as the bytes cannot become a valid head (a bare LF, a NUL, over `limit`).
Result<std::size_t> find_head_end(std::string_view bytes, std::size_t limit);

// `head` is one whole head with its empty line. Errors: bad_request 400, 405 only by routing,
// 431 (too_large) for size and count, 501 for a transfer coding we do not do, 505 for the version.
Result<RequestHead> parse_request_head(std::string_view head);
// `method` is the request's: HEAD answers and 204, 304 have no body. Errors: protocol.
Result<ResponseHead> parse_response_head(std::string_view head, std::string_view method);

}  // namespace nl::http
