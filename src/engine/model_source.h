// Where a file to be pulled really is: one question to its address, five redirects followed at
// most.
//
// Nothing of ours goes along: no credential, no cookie, no header of the user's. A redirect must
// lead to https, or, where the origin itself is plain http on this machine (tests), to the same.
// Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"

namespace nl::engine {

struct Origin {
  http::Endpoint endpoint;
  std::string target;  // origin-form
};

struct Located {
  Origin at;
  std::uint64_t bytes = 0;
  std::string digest;   // 64 hex digits when the server says so; empty = it does not
  std::string version;  // an entity tag, else a date of change; empty = none
  std::string tag;      // the same as `at` itself says it: every part's answer must have it
  bool ranges = false;  // parts may be asked for
};

inline constexpr std::uint64_t kModelBytesMax = 2ULL << 40;

// Header lines of every request of a pull.
std::string pull_headers(std::string_view more);

// A base URL to pull from: https, or http to this machine. Errors: config.
Result<http::BaseUrl> parse_pull_base(const std::string& url);

// Where `location` leads from `from`. Errors: config (a place that is not gone to).
Result<Origin> redirect_target(const Origin& from, std::string_view location);

// N of a Content-Range "bytes FROM-TO/N" that is exactly this range; nothing when it is not.
Result<std::uint64_t> total_of_range(std::string_view value, std::uint64_t from, std::uint64_t to);

// The entity tag of an answer, else its date of change; empty = neither is said.
std::string version_of(const http::Headers& headers);

// Refuses an answer whose bytes are packed: they would not be those of the file.
Result<void> refuse_packed(const http::ResponseHead& head);

// What an answer that is no success means for the person who pulls.
Error refusal(const http::ResponseHead& head, const Origin& at);

// Errors: those of Client::send, config, status, not_an_answer.
http::asio::awaitable<Result<Located>> locate(http::Client& client, const Origin& origin,
                                              Instant until);

}  // namespace nl::engine
