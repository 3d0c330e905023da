// Request: one turn a client asks for, in no vendor's shape.
//
// Plain values made by a dialect's decode_request and read by the planner and by encode_request.
// What becomes what:
//   Anthropic system / OpenAI system, developer (leading)  -> Request::system
//   a system message further down                          -> Message with Role::system, in place
//   OpenAI tool messages, Anthropic tool_result blocks      -> ToolResult blocks in a user Message
//   anything one vendor alone knows                         -> Opaque block, or Request::extensions
// Views point into the client's body or into `arena`; both outlive the Request. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chat/text.h"

namespace nl::chat {

enum class Role : std::uint8_t { system, user, assistant };

struct Text {
  JsonText text;
  JsonRaw cache_control;  // empty = none
};
// An image (or, for `document`, a file) by base64 data or by URL: exactly one is set.
struct Image {
  JsonText media_type;
  JsonText base64;
  JsonText url;
  JsonText detail;  // OpenAI's low | high | auto
};
struct ToolUse {
  JsonText id;
  JsonText name;
  // The arguments: a JSON object in `input` (Anthropic), or the inside of the JSON string that
  // holds it in `input_text` (OpenAI). Exactly one is set; an encoder converts when it must.
  JsonRaw input;
  JsonText input_text;
  JsonRaw cache_control;
};
using ResultPart = std::variant<Text, Image>;
struct ToolResult {
  JsonText tool_use_id;
  std::vector<ResultPart> content;
  bool is_error = false;
  JsonRaw cache_control;
};
struct Thinking {
  JsonText text;
  JsonText signature;
  JsonText redacted;  // opaque data of a redacted block
};
// A block only one vendor knows, whole.
struct Opaque {
  std::string_view type;
  JsonRaw json;
};
using Block = std::variant<Text, Image, ToolUse, ToolResult, Thinking, Opaque>;

struct Message {
  Role role = Role::user;
  std::vector<Block> content;
};

enum class ToolKind : std::uint8_t { function, vendor };
struct Tool {
  ToolKind kind = ToolKind::function;
  JsonText name;
  JsonText description;
  JsonRaw schema;  // JSON Schema of the arguments; empty = no arguments
  // The schema is an object that states its type and its properties: any vendor takes it as it is.
  bool complete_schema = false;
  JsonRaw strict;  // true | false | empty
  JsonRaw cache_control;
  JsonRaw vendor;  // the whole declaration, for ToolKind::vendor
};

enum class ToolChoice : std::uint8_t { unset, automatic, any, none, named };
enum class Effort : std::uint8_t { unset, none, minimal, low, medium, high, xhigh, max };
enum class Format : std::uint8_t { text, json_object, json_schema };

struct Sampling {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::int64_t> top_k;
  std::optional<std::int64_t> seed;
  std::vector<JsonText> stop;
};

struct Reasoning {
  bool enabled = false;                       // asked for at all
  std::optional<std::int64_t> budget_tokens;  // Anthropic's budget
  Effort effort = Effort::unset;
};

struct ResponseFormat {
  Format kind = Format::text;
  JsonText name;
  JsonRaw schema;
  JsonRaw strict;
};

struct Request {
  JsonText model;
  std::vector<Text> system;
  std::vector<Message> messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice = ToolChoice::unset;
  JsonText tool_choice_name;
  std::optional<bool> parallel_tools;
  std::optional<std::int64_t> max_tokens;
  Sampling sampling;
  Reasoning reasoning;
  ResponseFormat format;
  bool stream = false;
  bool include_usage = false;  // OpenAI: the client wants the usage chunk
  JsonText user;               // opaque end-user id
  // Set when a field has no meaning outside this dialect (n > 1, audio, ...): names it.
  std::string only_this_dialect;
  // Size of the body it came from, in bytes: the base of every estimate.
  std::size_t body_bytes = 0;

  // Keeps `text` for the life of the request and returns a view of it.
  std::string_view keep(std::string text) {
    arena.push_back(std::move(text));
    return arena.back();
  }
  std::list<std::string> arena;  // costs nothing while it is empty
};

}  // namespace nl::chat
