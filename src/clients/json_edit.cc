#include "clients/json_edit.h"

#include <fmt/format.h>

#include <span>

#include "clients/json_text.h"
#include "clients/masking.h"

namespace nl::clients {
namespace {

using Path = std::span<const std::string>;

// How new text is laid out in a given one.
struct Layout {
  std::string newline;  // empty = all on one line
  std::string unit;     // of indentation
};

Layout layout_of(std::string_view text, const JsonNode* root) {
  Layout layout{line_end(text), "  "};
  if (root == nullptr) return layout;
  if (root->members.empty()) return layout;
  const auto indent = indent_before(text, root->members.front().start);
  const bool is_one_line =
      text.substr(root->start, root->end - root->start).find('\n') == std::string_view::npos;
  if (is_one_line) layout.newline.clear();
  if (indent && !indent->empty()) layout.unit = *indent;
  return layout;
}

std::string repeated(const std::string& unit, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += unit;
  return text;
}

// `names` as members in one another around `value`, the first at `indent`.
std::string nested(Path names, const std::string& value, const std::string& indent,
                   const Layout& layout) {
  const std::string name = json_quoted(names.front()) + ": ";
  if (names.size() == 1) return name + value;
  if (layout.newline.empty()) return name + "{" + nested(names.subspan(1), value, "", layout) + "}";
  const std::string inner = indent + layout.unit;
  return name + "{" + layout.newline + inner + nested(names.subspan(1), value, inner, layout) +
         layout.newline + indent + "}";
}

// Behind the `{` at `open`, its blanks and a comment on its line, when the line ends there.
std::optional<std::size_t> end_of_opening(std::string_view text, std::size_t open) {
  std::size_t at = text.find_first_not_of(" \t", open + 1);
  if (text.substr(std::min(at, text.size()), 2) == "//") at = text.find('\n', at);
  if (at == std::string_view::npos || at >= text.size()) return std::nullopt;
  if (text[at] == '\n' && text[at - 1] == '\r') --at;
  if (text[at] == '\n' || text.substr(at, 2) == "\r\n") return at;
  return std::nullopt;
}

struct Insertion {
  std::size_t at = 0;
  std::string lead;
  std::string tail;
  std::string indent;  // of the member
};

Insertion place_in(std::string_view text, const JsonNode& object, std::size_t depth,
                   const Layout& layout) {
  Insertion made;
  const auto opening = end_of_opening(text, object.start);
  const bool is_empty = object.members.empty();
  const auto first = is_empty ? std::nullopt : indent_before(text, object.members.front().start);
  made.indent = first ? std::string(*first) : repeated(layout.unit, depth + 1);
  const bool is_spread = is_empty || first.has_value();
  if (opening && is_spread) {
    made.at = *opening;
    made.lead = layout.newline + made.indent;
    made.tail = is_empty ? "" : ",";
    return made;
  }
  if (!is_empty) {
    made.at = object.members.front().start;
    made.tail = first ? "," + line_end(text) + made.indent : ", ";
    return made;
  }
  made.at = object.start + 1;
  if (layout.newline.empty()) return made;
  made.lead = layout.newline + made.indent;
  made.tail = layout.newline + repeated(layout.unit, depth);
  return made;
}

std::unexpected<Error> no_table(std::string_view text, const JsonNode& node, Path path) {
  const std::vector<std::string> names(path.begin(), path.end());
  return fail(ErrorCode::config,
              fmt::format("line {}: {} is no object: put that right, or remove it",
                          line_number(text, node.start), names.empty() ? "it" : dotted(names)));
}

Change new_root(std::string& text, const Setting& setting, const std::string& value) {
  const Layout layout{line_end(text), "  "};
  Change change{setting.path, value, std::nullopt, "", 0, setting.path.size() + 1};
  if (!text.empty() && !text.ends_with('\n')) change.inserted = layout.newline;
  change.lead = change.inserted.size();
  change.inserted += "{" + layout.newline + layout.unit +
                     nested(setting.path, value, layout.unit, layout) + layout.newline + "}" +
                     layout.newline;
  text += change.inserted;
  return change;
}

// The parts of `path` that are there as objects, and the innermost of them.
struct Reached {
  std::size_t depth = 0;
  const JsonNode* object = nullptr;
};

Result<Reached> reach(std::string_view text, const JsonNode& root, Path path) {
  Reached reached{0, &root};
  if (root.kind != JsonNode::Kind::object) return no_table(text, root, {});
  while (reached.depth + 1 < path.size()) {
    const JsonMember* next = member_named(*reached.object, path[reached.depth]);
    if (next == nullptr) break;
    ++reached.depth;
    if (next->value.kind != JsonNode::Kind::object) {
      return no_table(text, next->value, path.first(reached.depth));
    }
    reached.object = &next->value;
  }
  return reached;
}

// Erases [from, to) and, where nothing else is left on its line, the line.
void erase_piece(std::string& text, std::size_t from, std::size_t to) {
  const auto indent = indent_before(text, from);
  std::size_t end = text.find_first_not_of(" \t\r", to);
  if (end == std::string::npos) end = text.size();
  const bool ends_line = end < text.size() && text[end] == '\n';
  if (indent && ends_line) {
    text.erase(from - indent->size(), end + 1 - from + indent->size());
  } else {
    // What follows on the same line moves up to where the piece began.
    text.erase(from, (ends_line ? to : std::min(end, text.size())) - from);
  }
}

// Removes the member at `path` with the one comma that goes with it.
Result<void> remove_member(std::string& text, Path path) {
  const auto json = JsonText::read(text);
  if (!json) return std::unexpected(json.error());
  const JsonNode* holder = json->object(path);
  const JsonMember* member = json->member(path);
  if (holder == nullptr || member == nullptr) return {};
  const std::size_t next = json->skip(member->value.end);
  if (text[next] == ',') {
    erase_piece(text, member->start, next + 1);
    return {};
  }
  std::size_t comma = std::string::npos;
  if (member != &holder->members.front()) comma = json->skip((member - 1)->value.end);
  erase_piece(text, member->start, member->value.end);
  if (comma != std::string::npos) text.erase(comma, 1);
  return {};
}

bool is_bare(std::string_view text, const JsonNode& object) {
  return object.kind == JsonNode::Kind::object &&
         text.substr(object.start + 1, object.end - object.start - 2)
                 .find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Takes the piece out as it was put in; false when it no longer stands there as it was.
bool take_exactly(std::string& text, const JsonText& json, const Change& change) {
  const bool with_root = change.made > change.path.size();
  std::size_t at = std::string::npos;
  if (with_root && json.root() != nullptr) at = json.root()->start;
  if (!with_root) {
    const Path outer = Path(change.path).first(change.path.size() - change.made + 1);
    const JsonMember* member = json.member(outer);
    if (member == nullptr) return false;
    at = member->start;
    // Without a comma of its own it was alone; beside others one of theirs would be left over.
    const std::size_t last = change.inserted.find_last_not_of(" \t\r\n");
    if (change.inserted[last] != ',' && json.object(outer)->members.size() > 1) return false;
  }
  if (at == std::string::npos || at < change.lead) return false;
  at -= change.lead;
  if (std::string_view(text).substr(at, change.inserted.size()) != change.inserted) return false;
  std::string without = text;
  without.erase(at, change.inserted.size());
  if (!JsonText::read(without)) return false;
  text = std::move(without);
  return true;
}

// The objects around it that are ours too, as far as nothing else is in them.
Result<void> remove_empty(std::string& text, const Change& change) {
  const Path path(change.path);
  for (std::size_t i = 1; i < change.made; ++i) {
    const auto json = JsonText::read(text);
    if (!json) return std::unexpected(json.error());
    if (i == path.size()) {
      if (json->root() != nullptr && is_bare(text, *json->root())) {
        text.erase(json->root()->start, json->root()->end - json->root()->start);
        if (text.find_first_not_of(" \t\r\n") == std::string::npos) text.clear();
      }
      break;
    }
    const JsonMember* outer = json->member(path.first(path.size() - i));
    if (outer == nullptr) continue;
    if (!is_bare(text, outer->value)) break;
    if (auto removed = remove_member(text, path.first(path.size() - i)); !removed) return removed;
  }
  return {};
}

}  // namespace

Result<std::optional<Change>> set_json(std::string& text, const Setting& setting) {
  const auto json = JsonText::read(text);
  if (!json) return std::unexpected(json.error());
  const std::string value = json_quoted(setting.value);
  if (json->root() == nullptr) return new_root(text, setting, value);
  const auto reached = reach(text, *json->root(), setting.path);
  if (!reached) return std::unexpected(reached.error());
  if (const JsonMember* member = json->member(setting.path)) {
    if (json->text_of(member->value) == setting.value) return std::nullopt;
    Change change{setting.path, value, std::string(json->raw(member->value)), "", 0, 0};
    text.replace(member->value.start, member->value.end - member->value.start, value);
    return change;
  }
  const Layout layout = layout_of(text, json->root());
  const Insertion place = place_in(text, *reached->object, reached->depth, layout);
  Change change{setting.path, value, std::nullopt, place.lead, 0, 0};
  change.lead = place.lead.size();
  change.made = setting.path.size() - reached->depth;
  change.inserted +=
      nested(Path(setting.path).subspan(reached->depth), value, place.indent, layout) + place.tail;
  text.insert(place.at, change.inserted);
  return change;
}

Result<std::string> unset_json(std::string& text, const Change& change) {
  const auto json = JsonText::read(text);
  if (!json) return std::unexpected(json.error());
  const JsonMember* member = json->member(change.path);
  const std::string label = dotted(change.path);
  if (change.before) {
    if (member == nullptr) return label + " was removed since and is not put back";
    if (json->raw(member->value) == *change.before) return "";
    if (json->raw(member->value) != change.written) {
      return fmt::format("{} was changed since and stays as it is: {}", label,
                         shown_value(label, json->raw(member->value)));
    }
    text.replace(member->value.start, member->value.end - member->value.start, *change.before);
    return "";
  }
  if (take_exactly(text, *json, change)) return "";
  if (member != nullptr) {
    if (json->raw(member->value) != change.written) {
      return fmt::format("{} was changed since and stays as it is: {}", label,
                         shown_value(label, json->raw(member->value)));
    }
    if (auto removed = remove_member(text, change.path); !removed) {
      return std::unexpected(std::move(removed.error()));
    }
  }
  if (auto removed = remove_empty(text, change); !removed) {
    return std::unexpected(std::move(removed.error()));
  }
  return "";
}

}  // namespace nl::clients
