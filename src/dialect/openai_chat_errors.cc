#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

constexpr std::size_t kMessageBytesMax = 500;

struct Kind {
  std::string_view type;
  std::string_view code;  // empty = null
};

// How vendors word a prompt that does not fit: clients look for the code.
bool says_too_long(std::string_view message) {
  constexpr std::array<std::string_view, 7> kPhrases = {
      "prompt is too long",           "input is too long", "context length",
      "context_length_exceeded",      "context window",    "maximum model length",
      "exceeds the available context"};
  return std::ranges::any_of(kPhrases, [&](std::string_view phrase) {
    return message.find(phrase) != std::string_view::npos;
  });
}

int status_of(const Error& error) {
  if (error.status != 0) return error.status;
  switch (error.code) {
    case ErrorCode::bad_request:
    case ErrorCode::unsupported:
      return 400;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::unauthorized:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::timeout:
      return 504;
    case ErrorCode::exhausted:
      return 503;
    case ErrorCode::dns:
    case ErrorCode::connect:
    case ErrorCode::tls:
    case ErrorCode::reset:
    case ErrorCode::status:
    case ErrorCode::not_an_answer:
    case ErrorCode::empty_answer:
    case ErrorCode::truncated:
    case ErrorCode::stream_error:
    case ErrorCode::protocol:
      return 502;
    case ErrorCode::cancelled:
      return 499;
    case ErrorCode::config:
    case ErrorCode::io:
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

Kind kind_of(const Error& error) {
  switch (const int status = status_of(error)) {
    case 401:
      return {"invalid_request_error", "invalid_api_key"};
    case 402:
      return {"insufficient_quota", "insufficient_quota"};
    case 403:
      return {"permission_error", "permission_denied"};
    case 404:
      // A path that is not there has no code with the vendor.
      return {"invalid_request_error", error.code == ErrorCode::not_found ? "" : "model_not_found"};
    case 408:
      return {"timeout_error", "request_timeout"};
    case 413:
      return {"invalid_request_error", "request_too_large"};
    case 429:
      return {"rate_limit_error", "rate_limit_exceeded"};
    // Not the vendor's own `server_is_overloaded`: some clients end at once on that word.
    case 503:
      return {"server_error", "service_unavailable"};
    case 504:
      return {"server_error", "timeout"};
    default:
      if (status < 500) {
        const bool too_long = says_too_long(error.message);
        return {"invalid_request_error", too_long ? "context_length_exceeded" : ""};
      }
      return {"server_error", "server_error"};
  }
}

// At most kMessageBytesMax bytes, no half character at the end.
std::string bounded(std::string text) {
  if (text.size() <= kMessageBytesMax) return text;
  std::size_t size = kMessageBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  return text;
}

// A string's text or a number's digits; nothing for the rest.
std::string word(const Value& value) {
  if (value.is_string()) return value.text().utf8();
  return value.is_number() ? std::string(value.raw()) : std::string();
}

// OpenRouter hides what the provider said in metadata.raw.
std::string message_of(const Value& error) {
  std::string message = word(error["message"]);
  const std::string inner = word(error["metadata"]["raw"]);
  if (inner.empty()) return message;
  return message.empty() ? inner : message + ": " + inner;
}

void read_error_object(const Value& error, UpstreamError& said) {
  said.message = message_of(error);
  said.type = word(error["type"]);
  // Google's compatible endpoint keeps the word in `status` and a number in `code`.
  if (said.type.empty() && error["status"].is_string()) said.type = word(error["status"]);
  said.code = word(error["code"]);
  said.source = word(error["metadata"]["limit_source"]);
  said.resets_in_s = error["resets_in_seconds"].integer();
  said.prompt_tokens = error["n_prompt_tokens"].integer();
  said.window_tokens = error["n_ctx"].integer();
}

// FastAPI: a string, or a list of what is wrong where.
std::string detail_of(const Value& detail) {
  if (detail.is_string()) return detail.text().utf8();
  if (detail.is_object() && detail["message"].is_string()) return word(detail["message"]);
  return std::string(detail.raw());
}

UpstreamError read_plain(std::string_view body) {
  UpstreamError said;
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return said;
  body = body.substr(begin, body.find_last_not_of(" \t\r\n") - begin + 1);
  if (body.starts_with('<')) {
    said.message = "an HTML page";
  } else {
    said.message = bounded(std::string(body.substr(0, kMessageBytesMax + 4)));
  }
  return said;
}

}  // namespace

std::string openai_chat::error_members(const Error& error) {
  const Kind kind = kind_of(error);
  std::string members;
  JsonWriter writer(members);
  writer.string("message", error.message).string("type", kind.type).key("param").null();
  kind.code.empty() ? writer.key("code").null() : writer.string("code", kind.code);
  return members;
}

// The request's id travels in a header: this body has no place for it.
std::string OpenAiChat::error_body(const Error& error, std::string_view) const {
  return "{\"error\":{" + openai_chat::error_members(error) + "}}";
}

UpstreamError openai_chat::error_stated(const Value& object) {
  UpstreamError said;
  const Value error = object["error"];
  if (error.is_object()) {
    read_error_object(error, said);
  } else if (error.is_string()) {
    said.message = word(error);
    said.type = word(object["type"]);
    said.code = word(object["code"]);
  } else if (object["detail"]) {
    said.message = detail_of(object["detail"]);
  } else if (object.is_object()) {
    read_error_object(object, said);
  } else if (object.is_string()) {
    said.message = word(object);
  }
  if (!said.resets_in_s) said.resets_in_s = object["resets_in_seconds"].integer();
  said.message = bounded(std::move(said.message));
  return said;
}

UpstreamError OpenAiChat::read_error(int, std::string_view body) const {
  Document document;
  if (!document.parse(body)) return read_plain(body);
  const Value root = document.root();
  return openai_chat::error_stated(root.is_array() ? root.first() : root);
}

}  // namespace nl::dialect
