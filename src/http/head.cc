#include "http/head.h"

#include <algorithm>
#include <cstring>

#include "http/fields.h"

namespace nl::http {
namespace {

constexpr std::size_t kMethodBytesMax = 32;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::unexpected<Error> bad(const char* message, int status = 400) {
  return fail(ErrorCode::bad_request, message, status);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// 0 or 1 for HTTP/1.0 and HTTP/1.1, -1 for another version, -2 for something else.
int minor_version(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  const bool formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                      text[6] == '.' && is_digit(text[7]);
  return formed ? -1 : -2;
}

bool keeps_alive(const Fields& fields, int minor) {
  return minor == 1 ? !fields.connection_close
                    : fields.connection_keep_alive && !fields.connection_close;
}

// Sets path and query; the authority of an absolute-form target must be the Host.
std::optional<Error> split_target(RequestHead& head) {
  std::string_view rest = head.target;
  for (const char c : rest) {
    if (c <= ' ' || c == '#' || static_cast<unsigned char>(c) >= 0x7f) {
      return bad("character in the target that must be encoded").error();
    }
  }
  if (!rest.starts_with('/')) {
    constexpr std::string_view scheme = "http://";
    if (rest.size() < scheme.size() || !same_name(rest.substr(0, scheme.size()), scheme)) {
      return bad("target is neither a path nor an http url").error();
    }
    rest.remove_prefix(scheme.size());
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (head.host.empty() || !same_name(rest.substr(0, end), head.host)) {
      return bad("target and host header disagree").error();
    }
    rest.remove_prefix(end);
  }
  const std::size_t question = std::min(rest.find('?'), rest.size());
  head.path = question == 0 ? std::string_view("/") : rest.substr(0, question);
  head.query = question < rest.size() ? rest.substr(question + 1) : std::string_view();
  return std::nullopt;
}

std::optional<Error> take_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return bad("malformed request line").error();
  head.method = line.substr(0, first);
  if (head.method.size() > kMethodBytesMax || !is_token(head.method)) {
    return bad("malformed method").error();
  }
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return bad("request line without a version").error();
  head.target = line.substr(first + 1, second - first - 1);
  if (head.target.empty()) return bad("empty target").error();
  head.minor_version = minor_version(line.substr(second + 1));
  if (head.minor_version == -1) return bad("unsupported version of HTTP", 505).error();
  if (head.minor_version < 0) return bad("malformed request line").error();
  return std::nullopt;
}

std::optional<Error> apply_request_fields(const Fields& fields, RequestHead& head) {
  if (!fields.host && head.minor_version == 1) return bad("no host header").error();
  if (fields.host && !is_host(*fields.host)) return bad("malformed host header").error();
  head.host = fields.host.value_or(std::string_view());
  if (fields.chunked && head.minor_version == 0) {
    return bad("transfer-encoding in HTTP/1.0").error();
  }
  if (fields.expect && head.minor_version == 1) {
    if (!same_name(*fields.expect, "100-continue")) return bad("unknown expectation", 417).error();
    head.expects_continue = true;
  }
  if (fields.content_encoding && !same_name(*fields.content_encoding, "identity")) {
    return bad("compressed request bodies are not accepted", 415).error();
  }
  if (fields.chunked) head.framing = Framing::chunked;
  if (fields.content_length) head.framing = Framing::length;
  head.content_length = fields.content_length.value_or(0);
  head.keep_alive = keeps_alive(fields, head.minor_version);
  return std::nullopt;
}

std::optional<Error> take_status_line(std::string_view line, ResponseHead& head) {
  const auto wrong = [] { return Error(ErrorCode::protocol, "malformed status line"); };
  if (line.size() < 12 || line[8] != ' ') return wrong();
  head.minor_version = minor_version(line.substr(0, 8));
  if (head.minor_version < 0) return wrong();
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return wrong();
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head.status < 100 || head.status > 599) return wrong();
  if (line.size() > 12 && (line[12] != ' ' || !is_field_text(line.substr(13)))) return wrong();
  return std::nullopt;
}

bool has_no_body(int status, std::string_view method) {
  return method == "HEAD" || status < 200 || status == 204 || status == 304;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    // Nearly every comparison ends at the size or at the first letter.
    if (field.name.size() != name.size() || name.empty()) continue;
    if ((field.name.front() | 0x20) != (name.front() | 0x20)) continue;
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [name](const Header& f) { return same_name(f.name, name); }));
}

bool Headers::add(Header field) {
  if (fields_.size() >= kHeadersMax) return false;
  if (fields_.empty()) fields_.reserve(16);
  fields_.push_back(field);
  return true;
}

Result<std::size_t> find_head_end(std::string_view bytes, std::size_t limit) {
  const std::string_view allowed = bytes.substr(0, limit);
  std::size_t line = 0;
  std::size_t head = 0;
  while (head == 0) {
    const std::size_t end = allowed.find('\n', line);
    if (end == std::string_view::npos) break;
    if (end == 0 || bytes[end - 1] != '\r') return bad("line ends without a carriage return");
    if (end - line == 1) head = end + 1;
    line = end + 1;
  }
  if (allowed.substr(0, head == 0 ? limit : head).find('\0') != std::string_view::npos) {
    return bad("zero byte in a head");
  }
  if (head == 0 && bytes.size() >= limit) {
    return fail(ErrorCode::too_large, "head is too large", 431);
  }
  return head;
}

Result<RequestHead> parse_request_head(std::string_view head) {
  const std::size_t end = head.find("\r\n");
  if (end == std::string_view::npos || head.size() < end + 4) return bad("incomplete head");
  RequestHead request;
  if (auto wrong = take_request_line(head.substr(0, end), request)) return std::unexpected(*wrong);
  const std::string_view lines = head.substr(end + 2, head.size() - end - 4);
  const auto fields = parse_fields(lines, Side::request, request.headers);
  if (!fields) return std::unexpected(fields.error());
  if (auto wrong = apply_request_fields(*fields, request)) return std::unexpected(*wrong);
  if (auto wrong = split_target(request)) return std::unexpected(*wrong);
  return request;
}

Result<ResponseHead> parse_response_head(std::string_view head, std::string_view method) {
  const std::size_t end = head.find("\r\n");
  if (end == std::string_view::npos || head.size() < end + 4) {
    return fail(ErrorCode::protocol, "incomplete head");
  }
  ResponseHead response;
  if (auto wrong = take_status_line(head.substr(0, end), response)) return std::unexpected(*wrong);
  const std::string_view lines = head.substr(end + 2, head.size() - end - 4);
  const auto fields = parse_fields(lines, Side::response, response.headers);
  if (!fields) return std::unexpected(fields.error());
  if (fields->chunked && response.minor_version == 0) {
    return fail(ErrorCode::protocol, "transfer-encoding in HTTP/1.0");
  }
  response.content_length = fields->content_length.value_or(0);
  response.keep_alive = keeps_alive(*fields, response.minor_version);
  if (has_no_body(response.status, method)) {
    response.framing = Framing::none;
  } else if (fields->chunked) {
    response.framing = Framing::chunked;
  } else if (fields->content_length) {
    response.framing = Framing::length;
  } else {
    response.framing = Framing::until_close;
    response.keep_alive = false;
  }
  return response;
}

}  // namespace nl::http
