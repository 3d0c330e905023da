#include "engine/model_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/version.h"
#include "engine/model_name.h"

namespace nl::engine {
namespace {

constexpr int kRedirectsMost = 5;
constexpr std::size_t kTagMax = 128;
constexpr std::uint64_t kAskedSecondsMax = 24 * 3600;

bool is_this_machine(const std::string& host) {
  return host == "127.0.0.1" || host == "::1" || host == "localhost";
}

bool is_plain_here(const http::Endpoint& endpoint) {
  return endpoint.scheme == http::Scheme::http && is_this_machine(endpoint.host);
}

bool take_number(std::string_view& text, std::uint64_t& out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

bool take_char(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// An entity tag without its quotes.
std::string_view bare_tag(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) {
    tag = tag.substr(1, tag.size() - 2);
  }
  return tag;
}

void take_tag(Located& located, const http::Headers& headers) {
  for (const std::string_view name : {"x-linked-etag", "etag"}) {
    const auto tag = headers.find(name);
    if (!tag) continue;
    const std::string_view bare = bare_tag(*tag);
    if (located.version.empty()) located.version = bare.substr(0, kTagMax);
    if (located.digest.empty() && is_sha256(bare)) located.digest = bare;
  }
}

// A Retry-After in seconds, else 0. One that is a date is no statement here.
int asked_seconds(const http::Headers& headers) {
  std::string_view text = headers.find("retry-after").value_or("");
  std::uint64_t value = 0;
  if (!take_number(text, value) || !text.empty()) return 0;
  return static_cast<int>(std::min<std::uint64_t>(value, kAskedSecondsMax));
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where the answer that has the file has come from `located.at`.
Result<void> take_answer(Located& located, const http::ResponseHead& head) {
  auto plain = refuse_packed(head);
  if (!plain) return plain;
  located.tag = version_of(head.headers);
  if (located.version.empty()) located.version = located.tag;
  if (head.status == 206) {
    const auto total = total_of_range(head.headers.find("content-range").value_or(""), 0, 0);
    if (!total) return std::unexpected(total.error());
    located.bytes = *total;
    located.ranges = true;
  } else if (head.framing == http::Framing::length) {
    located.bytes = head.content_length;
  }
  if (located.bytes == 0 || located.bytes > kModelBytesMax) {
    return fail(ErrorCode::not_an_answer,
                fmt::format("{} does not say how large the file is", located.at.endpoint.host));
  }
  return {};
}

}  // namespace

std::string pull_headers(std::string_view more) {
  return fmt::format("user-agent: nightlight/{}\r\naccept-encoding: identity\r\n{}", kVersion,
                     more);
}

Result<http::BaseUrl> parse_pull_base(const std::string& url) {
  auto base = http::parse_base_url(url);
  if (!base) return std::unexpected(base.error());
  const bool fine = base->endpoint.scheme == http::Scheme::https || is_plain_here(base->endpoint);
  if (!fine) {
    return fail(ErrorCode::config, "models are pulled over https, or over http from this machine");
  }
  return *base;
}

Result<Origin> redirect_target(const Origin& from, std::string_view location) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorCode::config, fmt::format("{} redirects to a place that is not gone to: {}",
                                               from.endpoint.host, why));
  };
  const std::string_view whole = location.substr(0, location.find('#'));
  if (whole.starts_with('/') && !whole.starts_with("//")) {
    return Origin{from.endpoint, std::string(whole)};
  }
  const std::size_t scheme_end = whole.find("://");
  if (scheme_end == std::string_view::npos) return refused("no whole address");
  const std::size_t path = whole.find_first_of("/?", scheme_end + 3);
  const auto base = http::parse_base_url(whole.substr(0, path));
  if (!base) return refused(base.error().message);
  const http::Endpoint& endpoint = base->endpoint;
  const bool fine = endpoint.scheme == http::Scheme::https ||
                    (is_plain_here(endpoint) && is_plain_here(from.endpoint));
  if (!fine) return refused("it is not https");
  std::string target(path == std::string_view::npos ? "/" : whole.substr(path));
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  return Origin{endpoint, std::move(target)};
}

Result<std::uint64_t> total_of_range(std::string_view value, std::uint64_t from, std::uint64_t to) {
  constexpr std::string_view kUnit = "bytes ";
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  std::string_view rest = value;
  const bool fine = rest.starts_with(kUnit) && (rest.remove_prefix(kUnit.size()), true) &&
                    take_number(rest, first) && take_char(rest, '-') && take_number(rest, last) &&
                    take_char(rest, '/') && take_number(rest, total) && rest.empty();
  if (!fine || first != from || last != to || total <= last) {
    return fail(ErrorCode::not_an_answer, "the server answers with another range than asked for");
  }
  return total;
}

std::string version_of(const http::Headers& headers) {
  const auto tag = headers.find("etag");
  if (tag) return std::string(bare_tag(*tag).substr(0, kTagMax));
  return std::string(headers.find("last-modified").value_or("").substr(0, kTagMax));
}

Result<void> refuse_packed(const http::ResponseHead& head) {
  const std::string_view coding = head.headers.find("content-encoding").value_or("");
  if (coding.empty() || coding == "identity") return {};
  return fail(ErrorCode::not_an_answer,
              "the server packs the file (content-encoding), which is not asked for");
}

Error refusal(const http::ResponseHead& head, const Origin& at) {
  const std::string host = at.endpoint.authority();
  const int status = head.status;
  const auto error = [&](std::string why) {
    Error made(ErrorCode::status, std::move(why), status);
    made.retry_after = asked_seconds(head.headers);
    return made;
  };
  if (status == 401 || status == 403) {
    return error(
        fmt::format("{} wants a login for this model (status {}): only public models are "
                    "pulled; or fetch the file yourself and `nightlight pull FILE`",
                    host, status));
  }
  if (status == 404) {
    return error(
        fmt::format("{} has no such model or file (404): check the name and the tag", host));
  }
  if (status == 429) {
    const int wait = asked_seconds(head.headers);
    return error(fmt::format("{} asks for less haste (status 429{})", host,
                             wait > 0 ? fmt::format(", for {} s", wait) : ""));
  }
  if (status >= 500) return error(fmt::format("{} is in trouble (status {})", host, status));
  return error(fmt::format("{} answered with status {}", host, status));
}

http::asio::awaitable<Result<Located>> locate(http::Client& client, const Origin& origin,
                                              Instant until) {
  Located located;
  located.at = origin;
  const std::string headers = pull_headers("range: bytes=0-0\r\n");
  http::Cancel cancel;
  for (int hop = 0;; ++hop) {
    const Origin at = located.at;
    http::Outgoing outgoing;
    outgoing.method = "GET";
    outgoing.target = at.target;
    outgoing.headers = headers;
    const auto call = co_await client.send(at.endpoint, outgoing, cancel, until);
    if (!call) co_return std::unexpected(call.error());
    const http::ResponseHead& head = (*call)->head();
    take_tag(located, head.headers);
    if (head.status == 200 || head.status == 206) {
      const auto taken = take_answer(located, head);
      if (!taken) co_return std::unexpected(taken.error());
      co_return located;
    }
    if (!is_redirect(head.status)) co_return std::unexpected(refusal(head, at));
    if (hop >= kRedirectsMost) {
      co_return fail(ErrorCode::config,
                     fmt::format("{} redirects once more: {} redirects are followed, no more",
                                 at.endpoint.host, kRedirectsMost));
    }
    auto next = redirect_target(at, head.headers.find("location").value_or(""));
    if (!next) co_return std::unexpected(next.error());
    located.at = std::move(*next);
  }
}

}  // namespace nl::engine
