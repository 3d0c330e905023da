// Decoding of a Messages body; see anthropic.h.
#include <optional>
#include <string>
#include <utility>

#include "dialect/anthropic.h"
#include "dialect/anthropic_blocks.h"
#include "dialect/json_path.h"
#include "dialect/tool_schema.h"

namespace nl::dialect {
namespace {

using chat::Request;
using Done = Result<void>;

// The members of one body, each read by a function of its own; errors name the path from `root_`.
class Decoder {
 public:
  explicit Decoder(const Value& root) : root_(root), blocks_(root, request_) {}

  Result<Request> decode() {
    if (!root_.is_object()) return refuse_type(root_, root_, "an object");
    for (Value member = root_.first(); member; member = member.next()) {
      if (Done done = top(member); !done) return std::unexpected(done.error());
    }
    if (!has_model_) return refuse_missing(root_, root_, "model");
    if (!has_messages_) return refuse_missing(root_, root_, "messages");
    request_.body_bytes = root_.raw().size();
    return std::move(request_);
  }

 private:
  Done top(const Value& member) {
    // An escape in a name does not make it another member.
    const std::string unescaped = member.key().plain() ? std::string() : member.key().utf8();
    const std::string_view key = unescaped.empty() ? member.key().escaped : unescaped;
    if (key == "model") return model(member);
    if (key == "messages") return messages(member);
    if (key == "system") return system(member);
    if (key == "tools") return tools(member);
    if (member.is_null()) return {};
    if (key == "tool_choice") return tool_choice(member);
    if (key == "max_tokens") return whole_number(member, request_.max_tokens);
    if (key == "temperature") return number(member, request_.sampling.temperature);
    if (key == "top_p") return number(member, request_.sampling.top_p);
    if (key == "top_k") return whole_number(member, request_.sampling.top_k);
    if (key == "stop_sequences") return stop_sequences(member);
    if (key == "stream") return stream(member);
    if (key == "thinking") return thinking(member);
    if (key == "output_config") return output_config(member);
    if (key == "output_format") return format(member);
    if (key == "metadata") return metadata(member);
    if (key == "mcp_servers" && member.size() > 0) request_.only_this_dialect = "mcp_servers";
    return {};
  }

  Done model(const Value& member) {
    if (!member.is_string() || member.text().empty()) {
      return refuse_type(root_, member, "a model name");
    }
    request_.model = member.text();
    has_model_ = true;
    return {};
  }

  Done whole_number(const Value& member, std::optional<std::int64_t>& into) {
    into = member.integer();
    if (!into || *into < 0)
      return refuse_type(root_, member, "a whole number that is not negative");
    return {};
  }

  Done number(const Value& member, std::optional<double>& into) {
    into = member.number();
    if (!into) return refuse_type(root_, member, "a number");
    return {};
  }

  Done stop_sequences(const Value& member) {
    if (!member.is_array()) return refuse_type(root_, member, "an array of strings");
    for (Value stop = member.first(); stop; stop = stop.next()) {
      if (!stop.is_string()) return refuse_type(root_, stop, "a string");
      request_.sampling.stop.push_back(stop.text());
    }
    return {};
  }

  Done stream(const Value& member) {
    if (!member.is_bool()) return refuse_type(root_, member, "true or false");
    request_.stream = *member.boolean();
    return {};
  }

  Done metadata(const Value& member) {
    if (!member.is_object()) return refuse_type(root_, member, "an object");
    const Value user = member["user_id"];
    if (user && !user.is_null() && !user.is_string()) return refuse_type(root_, user, "a string");
    request_.user = user.text();
    return {};
  }

  Done thinking(const Value& member) {
    if (!member.is_object()) return refuse_type(root_, member, "an object");
    const Value type = member["type"];
    if (!type.is_string()) return refuse_type(root_, type ? type : member, "a type");
    request_.reasoning.enabled = !type.equals("disabled");
    const Value budget = member["budget_tokens"];
    if (!budget || budget.is_null()) return {};
    return whole_number(budget, request_.reasoning.budget_tokens);
  }

  Done output_config(const Value& member) {
    if (!member.is_object()) return refuse_type(root_, member, "an object");
    const Value effort = member["effort"];
    if (effort.is_string()) {
      request_.reasoning.effort = effort_of(effort);
    } else if (effort && !effort.is_null()) {
      return refuse_type(root_, effort, "a string");
    }
    const Value wanted = member["format"];
    return !wanted || wanted.is_null() ? Done{} : format(wanted);
  }

  // An effort that is not on the list is the vendor's newest, above the others.
  static chat::Effort effort_of(const Value& effort) {
    if (effort.equals("minimal")) return chat::Effort::minimal;
    if (effort.equals("low")) return chat::Effort::low;
    if (effort.equals("medium")) return chat::Effort::medium;
    if (effort.equals("high")) return chat::Effort::high;
    if (effort.equals("xhigh")) return chat::Effort::xhigh;
    if (effort.equals("none")) return chat::Effort::none;
    return chat::Effort::max;
  }

  Done format(const Value& member) {
    if (!member.is_object()) return refuse_type(root_, member, "an object");
    if (!member["type"].equals("json_schema")) return {};
    const Value schema = member["schema"];
    if (!schema.is_object()) return refuse_type(root_, schema ? schema : member, "a schema object");
    request_.format.kind = chat::Format::json_schema;
    request_.format.name = member["name"].text();
    request_.format.schema = schema.json();
    return {};
  }

  Done system(const Value& member) {
    if (member.is_null()) return {};
    if (member.is_string()) {
      request_.system.push_back({member.text(), {}});
      return {};
    }
    if (!member.is_array())
      return refuse_type(root_, member, "a string or an array of text blocks");
    for (Value block = member.first(); block; block = block.next()) {
      if (!block.is_object()) return refuse_type(root_, block, "a text block");
      if (anthropic::is_billing_block(block) || !block["type"].equals("text")) continue;
      auto text = blocks_.text_block(block);
      if (!text) return std::unexpected(text.error());
      request_.system.push_back(*text);
    }
    return {};
  }

  Done messages(const Value& member) {
    if (!member.is_array()) return refuse_type(root_, member, "an array of messages");
    if (member.size() == 0) return refuse_type(root_, member, "at least one message");
    has_messages_ = true;
    request_.messages.reserve(member.size());
    for (Value message = member.first(); message; message = message.next()) {
      if (Done done = one_message(message); !done) return done;
    }
    return {};
  }

  Done one_message(const Value& message) {
    if (!message.is_object()) return refuse_type(root_, message, "a message object");
    const Value role = message["role"];
    if (!role) return refuse_missing(root_, message, "role");
    if (!role.is_string()) return refuse_type(root_, role, "a string");
    const Value content = message["content"];
    if (!content) return refuse_missing(root_, message, "content");
    chat::Message& made = request_.messages.emplace_back();
    made.role = role_of(role);
    if (content.is_string()) {
      made.content.emplace_back(chat::Text{content.text(), {}});
      return {};
    }
    if (!content.is_array()) return refuse_type(root_, content, "a string or an array of blocks");
    made.content.reserve(content.size());
    for (Value block = content.first(); block; block = block.next()) {
      auto read = blocks_.block(block);
      if (!read) return std::unexpected(read.error());
      made.content.push_back(std::move(*read));
    }
    return {};
  }

  // A role that is not known instructs the model rather than speaks for the user.
  static chat::Role role_of(const Value& role) {
    if (role.equals("user")) return chat::Role::user;
    if (role.equals("assistant")) return chat::Role::assistant;
    return chat::Role::system;
  }

  Done tools(const Value& member) {
    if (member.is_null()) return {};
    if (!member.is_array()) return refuse_type(root_, member, "an array of tools");
    request_.tools.reserve(member.size());
    for (Value tool = member.first(); tool; tool = tool.next()) {
      if (Done done = one_tool(tool); !done) return done;
    }
    return {};
  }

  Done one_tool(const Value& tool) {
    if (!tool.is_object()) return refuse_type(root_, tool, "a tool object");
    chat::Tool& made = request_.tools.emplace_back();
    const Value type = tool["type"];
    const bool vendor = type.is_string() && !type.equals("custom");
    const auto name = blocks_.required_string(tool, "name");
    if (!name && !vendor) return std::unexpected(name.error());
    if (name) made.name = *name;
    made.cache_control = anthropic::BlockDecoder::cache_control(tool);
    if (vendor) {
      made.kind = chat::ToolKind::vendor;
      made.vendor = tool.json();
      return {};
    }
    const Value description = tool["description"];
    if (description && !description.is_null() && !description.is_string()) {
      return refuse_type(root_, description, "a string");
    }
    made.description = description.text();
    const Value schema = tool["input_schema"];
    if (schema && !schema.is_null() && !schema.is_object()) {
      return refuse_type(root_, schema, "a schema object");
    }
    if (schema.is_object()) made.schema = schema.json();
    made.complete_schema = is_complete_schema(schema);
    if (tool["strict"].is_bool()) made.strict = tool["strict"].json();
    return {};
  }

  Done tool_choice(const Value& member) {
    if (!member.is_object()) return refuse_type(root_, member, "an object");
    const Value type = member["type"];
    if (!type.is_string()) return refuse_type(root_, type ? type : member, "a type");
    if (type.equals("auto")) request_.tool_choice = chat::ToolChoice::automatic;
    if (type.equals("any")) request_.tool_choice = chat::ToolChoice::any;
    if (type.equals("none")) request_.tool_choice = chat::ToolChoice::none;
    if (type.equals("tool")) {
      const auto name = blocks_.required_string(member, "name");
      if (!name) return std::unexpected(name.error());
      request_.tool_choice = chat::ToolChoice::named;
      request_.tool_choice_name = *name;
    }
    const Value serial = member["disable_parallel_tool_use"];
    if (!serial || serial.is_null()) return {};
    if (!serial.is_bool()) return refuse_type(root_, serial, "true or false");
    request_.parallel_tools = !*serial.boolean();
    return {};
  }

  Value root_;
  Request request_;
  anthropic::BlockDecoder blocks_;
  bool has_model_ = false;
  bool has_messages_ = false;
};

}  // namespace

bool anthropic::is_billing_block(const Value& block) {
  return block.is_object() && block["text"].text().escaped.starts_with(kBillingMark);
}

Result<chat::Request> Anthropic::decode_request(const Document& document) const {
  return Decoder(document.root()).decode();
}

}  // namespace nl::dialect
