// The pass-through lane of the Messages dialect; see anthropic.h.
//
// Thinking that another vendor wrote carries a signature we minted for the client. The vendor
// refuses it, and with it every later turn, so those blocks leave the body on the way back.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/anthropic.h"
#include "dialect/json_writer.h"
#include "dialect/members.h"

namespace nl::dialect {
namespace {

struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

std::size_t end_of(const Value& value) {
  return value.offset() + value.raw().size();
}

// Replacements within one text; no two may overlap.
class Edits {
 public:
  void replace(std::size_t begin, std::size_t end, std::string text) {
    edits_.push_back({begin, end, std::move(text)});
  }
  void replace(const Value& value, std::string text) {
    replace(value.offset(), end_of(value), std::move(text));
  }
  std::string apply(std::string_view text) {
    std::ranges::sort(edits_, {}, &Edit::begin);
    std::string out;
    out.reserve(text.size() + 256);
    std::size_t copied = 0;
    for (const Edit& edit : edits_) {
      out.append(text.substr(copied, edit.begin - copied)).append(edit.text);
      copied = edit.end;
    }
    return out.append(text.substr(copied));
  }

  // Cuts the elements of `array` for which `is_cut` holds, each with one comma.
  template <typename Predicate>
  void cut_elements(const Value& array, Predicate is_cut) {
    std::size_t kept_end = 0;  // of the last element that stays
    std::vector<Edit> cuts;
    for (Value element = array.first(); element; element = element.next()) {
      if (!is_cut(element)) {
        kept_end = end_of(element);
        continue;
      }
      const Value next = element.next();
      if (next) {
        cuts.push_back({element.offset(), next.offset(), {}});
        continue;
      }
      // The last one takes the comma before it, and so the cuts between are one.
      while (kept_end > 0 && !cuts.empty() && cuts.back().begin > kept_end) cuts.pop_back();
      cuts.push_back({kept_end > 0 ? kept_end : element.offset(), end_of(element), {}});
    }
    edits_.insert(edits_.end(), cuts.begin(), cuts.end());
  }

 private:
  std::vector<Edit> edits_;
};

bool is_minted(const Value& block) {
  return block["type"].equals("thinking") &&
         block["signature"].text().escaped.starts_with(anthropic::kMintedMark);
}

// Which blocks leave the body.
class Leaving {
 public:
  explicit Leaving(SignedThinking thinking) : thinking_(thinking) {}

  bool operator()(const Value& block) const {
    switch (thinking_) {
      case SignedThinking::keep:
        return is_minted(block);
      case SignedThinking::remove:
        return block["type"].equals("thinking") || block["type"].equals("redacted_thinking");
    }
    return false;
  }

 private:
  SignedThinking thinking_;
};

bool any_leaves(const Value& messages, const Leaving& leaves) {
  for (Value message = messages.first(); message; message = message.next()) {
    for (Value block = message["content"].first(); block; block = block.next()) {
      if (leaves(block)) return true;
    }
  }
  return false;
}

// True when nothing of `message` would be left.
bool all_leave(const Value& message, const Leaving& leaves) {
  const Value content = message["content"];
  if (!content.is_array() || content.size() == 0) return false;
  for (Value block = content.first(); block; block = block.next()) {
    if (!leaves(block)) return false;
  }
  return true;
}

// A message that would be left empty goes whole.
void cut_thinking(const Value& messages, const Leaving& leaves, Edits& edits) {
  edits.cut_elements(messages, [&](const Value& message) { return all_leave(message, leaves); });
  for (Value message = messages.first(); message; message = message.next()) {
    const Value content = message["content"];
    if (content.is_array() && !all_leave(message, leaves)) edits.cut_elements(content, leaves);
  }
}

Value last_of(const Value& array) {
  Value last;
  for (Value element = array.first(); element; element = element.next()) last = element;
  return last;
}

bool holds_result(const Value& message) {
  for (Value block = message["content"].first(); block; block = block.next()) {
    if (block["type"].equals("tool_result")) return true;
  }
  return false;
}

// The first block of `message` that stays.
Value first_kept(const Value& message, const Leaving& leaves) {
  Value block = message["content"].first();
  while (block && leaves(block)) block = block.next();
  return block;
}

// The members of a body that may have to change.
struct Parts {
  explicit Parts(const Value& root) {
    find_members(
        root,
        {{"model", &model}, {"messages", &messages}, {"system", &system}, {"thinking", &thinking}});
  }
  Value model, messages, system, thinking;
};

// With a thinking budget the vendor wants a tool loop's last answer to begin with thinking it
// signed. An answer that another vendor gave has none: thinking pauses until the loop is over.
bool must_pause_thinking(const Parts& parts, const Leaving& leaves) {
  if (!parts.thinking["type"].equals("enabled")) return false;
  Value answer;
  for (Value message = parts.messages.first(); message; message = message.next()) {
    if (message["role"].equals("assistant")) answer = message;
  }
  const Value last = last_of(parts.messages);
  if (!answer || last["role"].equals("assistant") || !holds_result(last)) return false;
  const Value first = first_kept(answer, leaves);
  return first && !first["type"].equals("thinking") && !first["type"].equals("redacted_thinking");
}

void pause_thinking(const Value& root, Edits& edits) {
  edits.replace(root["thinking"], R"({"type":"disabled"})");
  edits.cut_elements(root["context_management"]["edits"], [](const Value& edit) {
    return edit["type"].text().escaped.starts_with("clear_thinking");
  });
}

}  // namespace

std::string Anthropic::splice(const Document& document, const SpliceOptions& options) const {
  const Value root = document.root();
  const std::string_view text(root.raw().data() - root.offset(), end_of(root));
  Edits edits;
  std::string model;
  JsonWriter(model).string(options.model);
  const Parts parts(root);
  if (parts.model) edits.replace(parts.model, std::move(model));
  if (options.marks == ClientMarks::remove && parts.system.is_array()) {
    edits.cut_elements(parts.system, anthropic::is_billing_block);
  }
  const Leaving leaves(options.thinking);
  if (any_leaves(parts.messages, leaves)) cut_thinking(parts.messages, leaves, edits);
  if (must_pause_thinking(parts, leaves)) pause_thinking(root, edits);
  if (!options.extra_members.empty()) {
    const std::size_t brace = end_of(root) - 1;
    edits.replace(brace, brace, (root.size() > 0 ? "," : "") + options.extra_members);
  }
  return edits.apply(text);
}

bool Anthropic::opens_answer(const SseFrame& frame) const {
  if (!frame.event.empty()) return frame.event == "message_start";
  Document document;
  return document.parse(frame.data) && document.root()["type"].equals("message_start");
}

void Anthropic::append_renamed(const SseFrame& frame, const Renaming& names,
                               std::string& out) const {
  Document document;
  if (names.empty() || !opens_answer(frame) || !document.parse(frame.data)) {
    out += frame.raw;
    return;
  }
  const Value message = document.root()["message"];
  Edits edits;
  for (const auto& [member, name] :
       {std::pair("id", &names.id), std::pair("model", &names.model)}) {
    if (name->empty() || !message[member].is_string()) continue;
    std::string value;
    JsonWriter(value).string(*name);
    edits.replace(message[member], std::move(value));
  }
  std::string data = edits.apply(frame.data);
  // Line ends between tokens would end the data line.
  std::ranges::replace(data, '\n', ' ');
  out.append("event: message_start\ndata: ").append(data).append("\n\n");
}

}  // namespace nl::dialect
