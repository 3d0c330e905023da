#include "http/fields.h"

#include <array>
#include <charconv>
#include <cstring>

namespace nl::http {
namespace {

enum CharClass : std::uint8_t { kToken = 1, kText = 2, kHostName = 4 };

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view host_marks = "-._~!$&'()*+;=";
  for (unsigned c = 0; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    unsigned bits = 0;
    if (is_alnum(c) || token_marks.find(as_char) != std::string_view::npos) bits |= kToken;
    if (is_alnum(c) || host_marks.find(as_char) != std::string_view::npos) bits |= kHostName;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kText;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}();

bool all_of_class(std::string_view text, CharClass wanted) {
  unsigned all = wanted;
  for (const char c : text) all &= kClasses[static_cast<unsigned char>(c)];
  return (all & wanted) != 0;
}

std::unexpected<Error> refuse(Side side, const char* message, int status = 400) {
  if (side == Side::response) return fail(ErrorCode::protocol, message);
  return fail(status == 431 ? ErrorCode::too_large : ErrorCode::bad_request, message, status);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ends_with_name(std::string_view text, std::string_view name) {
  return text.size() >= name.size() && same_name(text.substr(text.size() - name.size()), name);
}

// A framing header inside another field's value: some parser in front may have seen it as a line.
bool hides_framing_line(std::string_view value) {
  for (std::size_t colon = value.find(':'); colon != std::string_view::npos;
       colon = value.find(':', colon + 1)) {
    const std::string_view before = trim(value.substr(0, colon));
    if (ends_with_name(before, "transfer-encoding")) return true;
    if (ends_with_name(before, "content-length")) return true;
  }
  return false;
}

bool has_list_member(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same_name(trim(list.substr(0, comma)), member)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

// Collects one head's fields; each note_* returns what is wrong, or nothing.
class Collector {
 public:
  Collector(Side side, Headers& headers) : side_(side), headers_(headers) {}

  // One line without its CRLF.
  std::optional<Error> line(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      return refuse(side_, "header line without a colon").error();
    }
    const std::string_view name = text.substr(0, colon);
    const std::string_view raw = text.substr(colon + 1);
    if (!is_token(name)) return refuse(side_, "malformed header name").error();
    if (!is_field_text(raw)) return refuse(side_, "control character in a header value").error();
    if (hides_framing_line(raw)) return refuse(side_, "header line inside a value").error();
    const std::string_view value = trim(raw);
    const Header field{name, value};
    if (!headers_.add(field)) return refuse(side_, "too many headers", 431).error();
    return note(field, raw);
  }

  Fields take() { return fields_; }

 private:
  std::optional<Error> note(const Header& field, std::string_view raw) {
    switch (field.name.size()) {
      case 4:
        if (same_name(field.name, "host")) return once(fields_.host, field);
        break;
      case 6:
        if (same_name(field.name, "expect")) return once(fields_.expect, field);
        if (same_name(field.name, "origin")) return once(origin_, field);
        break;
      case 10:
        if (same_name(field.name, "connection")) note_connection(field.value);
        break;
      case 12:
        if (same_name(field.name, "content-type")) return once(content_type_, field);
        break;
      case 13:
        if (same_name(field.name, "authorization")) return once(authorization_, field);
        break;
      case 14:
        if (same_name(field.name, "content-length")) return note_length(field.value);
        break;
      case 16:
        if (same_name(field.name, "content-encoding")) fields_.content_encoding = field.value;
        break;
      case 17:
        return note_transfer(field, raw);
      default:
        break;
    }
    return std::nullopt;
  }

  // A second one would let two readers believe different things. Answers are read by us alone.
  std::optional<Error> once(std::optional<std::string_view>& slot, const Header& field) {
    if (slot && side_ == Side::request) {
      return Error(ErrorCode::bad_request, "repeated header " + std::string(field.name), 400);
    }
    if (!slot) slot = field.value;
    return std::nullopt;
  }

  void note_connection(std::string_view value) {
    if (has_list_member(value, "close")) fields_.connection_close = true;
    if (has_list_member(value, "keep-alive")) fields_.connection_keep_alive = true;
  }

  std::optional<Error> note_length(std::string_view value) {
    if (fields_.content_length) return refuse(side_, "repeated content-length").error();
    fields_.content_length = parse_length(value);
    if (!fields_.content_length) return refuse(side_, "malformed content-length").error();
    return std::nullopt;
  }

  std::optional<Error> note_transfer(const Header& field, std::string_view raw) {
    if (same_name(field.name, "transfer_encoding") && has_list_member(field.value, "chunked")) {
      return refuse(side_, "malformed transfer-encoding").error();
    }
    if (!same_name(field.name, "transfer-encoding")) return std::nullopt;
    if (fields_.chunked) return refuse(side_, "repeated transfer-encoding").error();
    if (side_ == Side::response ? same_name(raw, "chunked") || same_name(raw, " chunked")
                                : raw == "chunked" || raw == " chunked") {
      fields_.chunked = true;
      return std::nullopt;
    }
    return refuse(side_, "transfer-encoding other than chunked", 501).error();
  }

  Side side_;
  Headers& headers_;
  Fields fields_;
  std::optional<std::string_view> content_type_;
  std::optional<std::string_view> authorization_;
  std::optional<std::string_view> origin_;
};

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536 &&
         text.size() <= 5;
}

bool is_ipv6(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return false;
  bool colon = false;
  for (const char c : text) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!hex && c != ':' && c != '.') return false;
    colon = colon || c == ':';
  }
  return colon;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_of_class(text, kToken);
}
// Values are the most of a head: eight bytes are looked at together, and again one by one only
// where a tab or a mistake is among them.
bool is_field_text(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  std::uint64_t doubtful = 0;
  std::size_t at = 0;
  for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    const std::uint64_t from_delete = bytes ^ 0x7f * kOnes;
    doubtful |= (bytes - 0x20 * kOnes) & ~bytes;       // below a space
    doubtful |= (from_delete - kOnes) & ~from_delete;  // 0x7f
  }
  if ((doubtful & kHighs) != 0) at = 0;
  return all_of_class(text.substr(at), kText);
}

bool is_host(std::string_view text) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    rest = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view host = text.substr(0, end);
    if (host.empty() || host.size() > 255 || !all_of_class(host, kHostName)) return false;
    rest = text.substr(end);
  }
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

Result<Fields> parse_fields(std::string_view lines, Side side, Headers& headers) {
  Collector collector(side, headers);
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return refuse(side, "header line without an end");
    if (auto wrong = collector.line(lines.substr(0, end))) return std::unexpected(*wrong);
    lines.remove_prefix(end + 2);
  }
  Fields fields = collector.take();
  if (fields.chunked && fields.content_length) {
    return refuse(side, "both content-length and transfer-encoding");
  }
  return fields;
}

}  // namespace nl::http
