#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/anthropic.h"
#include "dialect/json_writer.h"

namespace nl::dialect {
namespace {

constexpr std::size_t kMessageBytesMax = 500;
constexpr std::size_t kWordBytesMax = 100;

struct ErrorType {
  int status;
  std::string_view type;
};
// The first row of a type is the status it stands for in an event, where no status is.
// 503 is left out and thus an api_error: Claude Code reads an overloaded_error under any status as
// the vendor's overload and ends the turn at the third one (docs/decisions/0003).
constexpr std::array<ErrorType, 13> kErrorTypes = {{{400, "invalid_request_error"},
                                                    {401, "authentication_error"},
                                                    {402, "billing_error"},
                                                    {403, "permission_error"},
                                                    {404, "not_found_error"},
                                                    {413, "request_too_large"},
                                                    {429, "rate_limit_error"},
                                                    {500, "api_error"},
                                                    {504, "timeout_error"},
                                                    {529, "overloaded_error"},
                                                    {408, "timeout_error"},
                                                    {409, "invalid_request_error"},
                                                    {422, "invalid_request_error"}}};

// At most `bytes_max` bytes of `text`, cut between characters.
std::string bounded(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string word(const Value& value) {
  return bounded(value.text().utf8(), kWordBytesMax);
}

}  // namespace

std::string_view anthropic::error_type(int status) {
  const auto row = std::ranges::find(kErrorTypes, status, &ErrorType::status);
  if (row != kErrorTypes.end()) return row->type;
  return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
}

int anthropic::error_status(std::string_view type) {
  const auto row = std::ranges::find(kErrorTypes, type, &ErrorType::type);
  return row == kErrorTypes.end() ? 0 : row->status;
}

std::string anthropic::error_members(const Error& error) {
  std::string members;
  JsonWriter json(members);
  json.string("type", "error").key("error").begin_object();
  json.string("type", error_type(error.status));
  json.string("message", error.message.empty() ? "the request failed" : error.message);
  json.end_object();
  return members;
}

UpstreamError anthropic::error_stated(const Value& object) {
  UpstreamError stated;
  const Value error = object["error"];
  // Some servers of this dialect state the bare text.
  const Value message = error.is_string() ? error : error["message"];
  stated.type = word(error["type"]);
  stated.message = bounded(message.text().utf8(), kMessageBytesMax);
  const Value code = error["details"]["error_code"];
  stated.code = word(code ? code : error["code"]);
  return stated;
}

std::string Anthropic::error_body(const Error& error, std::string_view request_id) const {
  std::string body;
  JsonWriter json(body);
  json.begin_object().members(anthropic::error_members(error));
  json.string("request_id", request_id).end_object();
  return body;
}

UpstreamError Anthropic::read_error(int status, std::string_view body) const {
  Document document;
  UpstreamError stated;
  if (document.parse(body)) stated = anthropic::error_stated(document.root());
  if (stated.type.empty()) stated.type = std::string(anthropic::error_type(status));
  return stated;
}

}  // namespace nl::dialect
