#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "dialect/anthropic_encode.h"
#include "dialect/json.h"
#include "dialect/tool_id.h"
#include "dialect/tool_name.h"

namespace nl::dialect::anthropic {
namespace {

constexpr std::size_t kNameBytesMax = 128;
constexpr std::string_view kNoArguments = R"({"type":"object","properties":{}})";

// Types of this vendor's own tools end in a date: web_search_20250305.
bool is_dated(std::string_view type) {
  constexpr std::size_t kDate = 8;
  if (type.size() <= kDate + 1 || type[type.size() - kDate - 1] != '_') return false;
  return std::ranges::all_of(type.substr(type.size() - kDate),
                             [](char byte) { return byte >= '0' && byte <= '9'; });
}

bool is_ours(const chat::Tool& tool) {
  Document document;
  return document.parse(tool.vendor.json).has_value() &&
         is_dated(document.root()["type"].text().escaped);
}

bool is_declared(const chat::Tool& tool, const EncodeOptions& options) {
  if (tool.kind == chat::ToolKind::vendor) return is_ours(tool);
  return options.tools_allowed.empty() ||
         std::ranges::find(options.tools_allowed, tool.name.utf8()) != options.tools_allowed.end();
}

// The vendor insists on "type":"object" at the top.
void append_schema(JsonWriter& json, const chat::Tool& tool) {
  const chat::JsonRaw schema = tool.schema;
  json.key("input_schema");
  if (tool.complete_schema) {
    json.raw(schema);
    return;
  }
  Document document;
  if (schema.empty() || !document.parse(schema.json) || !document.root().is_object()) {
    json.raw({kNoArguments});
    return;
  }
  const Value root = document.root();
  if (root["type"].equals("object")) {
    json.raw(root.json());
    return;
  }
  json.begin_object().string("type", "object");
  for (Value member = root.first(); member; member = member.next()) {
    if (!member.key_is("type")) json.key(member.key()).raw(member.json());
  }
  json.end_object();
}

void append_tool(JsonWriter& json, const chat::Tool& tool, CacheMarks& marks) {
  if (tool.kind == chat::ToolKind::vendor) {
    json.raw(tool.vendor);
    return;
  }
  json.begin_object().string("name", tool_name(tool.name));
  if (!tool.description.empty()) json.text("description", tool.description);
  append_schema(json, tool);
  json.raw_unless_empty("cache_control", marks.take(tool.cache_control)).end_object();
}

void append_choice(JsonWriter& json, const chat::Request& request, bool name_declared) {
  const bool serial = request.parallel_tools == false;
  chat::ToolChoice choice = request.tool_choice;
  // A choice that the slimmed list no longer offers would be refused.
  if (choice == chat::ToolChoice::named && !name_declared) choice = chat::ToolChoice::automatic;
  std::string_view type = "auto";
  switch (choice) {
    case chat::ToolChoice::unset:
      if (!serial) return;
      break;
    case chat::ToolChoice::automatic:
      break;
    case chat::ToolChoice::any:
      type = "any";
      break;
    case chat::ToolChoice::none:
      type = "none";
      break;
    case chat::ToolChoice::named:
      type = "tool";
      break;
  }
  json.key("tool_choice").begin_object().string("type", type);
  if (choice == chat::ToolChoice::named) json.string("name", tool_name(request.tool_choice_name));
  if (serial && choice != chat::ToolChoice::none) json.boolean("disable_parallel_tool_use", true);
  json.end_object();
}

}  // namespace

std::string tool_name(chat::JsonText name) {
  const bool fits = !name.empty() && name.escaped.size() <= kNameBytesMax &&
                    std::ranges::all_of(name.escaped, [](char byte) {
                      return tool_id_fits(std::string_view(&byte, 1));
                    });
  return fits ? std::string(name.escaped) : fit_tool_name(name);
}

void append_tools(JsonWriter& json, const chat::Request& request, const EncodeOptions& options,
                  CacheMarks& marks) {
  bool any = false;
  bool name_declared = false;
  for (const chat::Tool& tool : request.tools) {
    if (!is_declared(tool, options)) continue;
    if (!any) json.key("tools").begin_array();
    any = true;
    name_declared |= tool.name.utf8() == request.tool_choice_name.utf8();
    append_tool(json, tool, marks);
  }
  if (!any) return;
  json.end_array();
  append_choice(json, request, name_declared);
}

}  // namespace nl::dialect::anthropic
