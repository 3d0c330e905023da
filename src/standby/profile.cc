#include "standby/profile.h"

#include <algorithm>
#include <optional>

#include "dialect/anthropic.h"
#include "standby/cut_text.h"
#include "standby/short_json.h"

namespace nl::standby {
namespace {

constexpr std::string_view kLine = "\\n";
constexpr std::string_view kParagraph = "\\n\\n";
constexpr std::string_view kRule = "---";
constexpr std::string_view kOpen = "<system-reminder>\\n";
constexpr std::string_view kClose = "\\n</system-reminder>";

// `text`: the inside of a JSON string; `by`: escapes. The end of one escape and the beginning of
// what follows it are no `by`.
std::vector<std::string_view> split(std::string_view text, std::string_view by) {
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '\\') {
      ++at;
    } else if (text.substr(at).starts_with(by)) {
      parts.push_back(text.substr(0, at));
      text.remove_prefix(at + by.size());
      at = 0;
    } else {
      at += 2;
    }
  }
  parts.push_back(text);
  return parts;
}

// Whether the inside of a JSON string ends with a line end, and not with an escaped backslash and
// an n.
bool ends_with_line(std::string_view text) {
  if (!text.ends_with(kLine)) return false;
  const std::size_t before = text.find_last_not_of('\\', text.size() - 2);
  return (text.size() - 2 - (before == std::string_view::npos ? 0 : before + 1)) % 2 == 0;
}

void append(std::string& out, std::string_view piece, std::string_view by) {
  if (!out.empty()) out += by;
  out += piece;
}

bool begins_with_any(std::string_view text, std::span<const std::string> beginnings) {
  return std::ranges::any_of(
      beginnings, [text](const std::string& beginning) { return text.starts_with(beginning); });
}

bool is_list(std::string_view paragraph) {
  return paragraph.starts_with("- ") || paragraph.starts_with(" - ");
}

// `text` without the paragraphs and lines that the profile leaves out.
std::string without(std::string_view text, std::span<const std::string> leave_out) {
  std::string out;
  bool dropping = false;
  for (const std::string_view paragraph : split(text, kParagraph)) {
    const bool named = begins_with_any(paragraph, leave_out);
    dropping = named || (dropping && is_list(paragraph));
    if (dropping) continue;
    std::string kept;
    for (const std::string_view line : split(paragraph, kLine)) {
      if (!begins_with_any(line, leave_out)) append(kept, line, kLine);
    }
    if (!kept.empty() || paragraph.empty()) append(out, kept, kParagraph);
  }
  return out;
}

bool is_blank(std::string_view escaped) {
  return escaped.find_first_not_of("\\n ") == std::string_view::npos;
}

bool is_heading(std::string_view line) {
  const std::size_t marks = line.find_first_not_of('#');
  return marks != 0 && marks != std::string_view::npos && line[marks] == ' ';
}

// `text` without the sections whose headings begin so.
std::string without_sections(std::string_view text, std::span<const std::string> headings) {
  std::string out;
  bool dropping = false;
  for (const std::string_view paragraph : split(text, kParagraph)) {
    std::string_view words = paragraph;
    while (words.starts_with(kLine)) words.remove_prefix(kLine.size());
    if (is_heading(words)) {
      dropping = begins_with_any(words, headings);
    } else if (words == kRule) {
      dropping = false;
    }
    if (!dropping) append(out, paragraph, kParagraph);
  }
  return out;
}

// Behind the last paragraph of the list that begins at `from`: what a user wrote into an entry may
// hold empty lines. A list in a tag ends with it, another one with its last entry.
std::size_t end_of_list(std::span<const std::string_view> paragraphs, std::size_t from) {
  const std::string_view first = paragraphs[from];
  const bool tagged = first.starts_with('<');
  const std::string close = "</" + std::string(first.substr(1, first.find('>')));
  std::size_t end = from + 1;
  for (std::size_t i = from; i < paragraphs.size(); ++i) {
    if (tagged && paragraphs[i].find(close) != std::string_view::npos) return i + 1;
    if (!tagged && i > from && paragraphs[i].starts_with("- ")) end = i + 1;
  }
  return end;
}

// The sections of `text` whose headings are named, without what the profile leaves out.
std::string sections(std::string_view text, const Profile& profile) {
  std::string kept;
  bool keeping = false;
  for (const std::string_view line : split(text, kLine)) {
    if (line.starts_with("# ")) keeping = begins_with_any(line, profile.keep_sections);
    if (keeping) append(kept, line, kLine);
  }
  std::string out = without(kept, profile.leave_out);
  while (ends_with_line(out)) out.resize(out.size() - kLine.size());
  // A heading alone tells nothing.
  return out.find(kLine) == std::string::npos ? std::string() : out;
}

// Where the first line that begins so stands; npos = nowhere.
std::size_t first_line(std::string_view text, std::span<const std::string> beginnings) {
  std::size_t at = 0;
  for (const std::string_view line : split(text, kLine)) {
    if (begins_with_any(line, beginnings)) return at;
    at += line.size() + kLine.size();
  }
  return std::string_view::npos;
}

// Where the client's own last paragraph ends; npos = it is not there.
std::size_t behind_ends(std::string_view text, std::span<const std::string> ends) {
  std::size_t from = std::string_view::npos;
  std::size_t at = 0;
  for (const std::string_view paragraph : split(text, kParagraph)) {
    at += paragraph.size();
    if (begins_with_any(paragraph, ends)) from = at;
    at += kParagraph.size();
  }
  return from;
}

bool holds_any(std::string_view text, std::span<const std::string> marks) {
  return std::ranges::any_of(
      marks, [text](const std::string& mark) { return text.find(mark) != std::string_view::npos; });
}

// A system text of the client's, taken apart.
struct OwnText {
  std::string_view own;  // gives way
  std::string added;     // stays behind it
};

// Nothing where `text` is not the client's own, or its layout is not known.
std::optional<OwnText> own_text(std::string_view text, const Profile& profile) {
  const std::size_t begin = first_line(text, profile.begins);
  const std::string_view own = text.substr(0, begin);
  if (!holds_any(own, profile.marks)) return std::nullopt;
  if (begin != std::string_view::npos) {
    return OwnText{own, without_sections(text.substr(begin), profile.leave_sections)};
  }
  const std::size_t end = behind_ends(text, profile.ends);
  if (end == std::string_view::npos) {
    return profile.begins.empty() ? std::optional(OwnText{own, {}}) : std::nullopt;
  }
  std::string_view added = text.substr(end);
  while (added.starts_with(kLine)) added.remove_prefix(kLine.size());
  return OwnText{own, std::string(added)};
}

class Profiling {
 public:
  Profiling(const Profile& profile, chat::Request& out) : profile_(profile), out_(out) {}

  void system() {
    if (profile_.system.empty()) return;
    std::vector<chat::Text> kept;
    bool replaced = false;
    for (const chat::Text& piece : out_.system) {
      const std::string_view text = piece.text.escaped;
      if (text.starts_with(dialect::anthropic::kBillingMark)) continue;
      const std::optional<OwnText> parts = own_text(text, profile_);
      if (!parts) {
        kept.push_back(piece);
        continue;
      }
      std::string made = replaced ? std::string() : chat::escape(profile_.system);
      replaced = true;
      if (const std::string stays = sections(parts->own, profile_); !stays.empty()) {
        append(made, stays, kParagraph);
      }
      if (!parts->added.empty()) append(made, parts->added, kParagraph);
      if (made.empty()) continue;
      chat::Text own = piece;
      own.text = {out_.keep(std::move(made))};
      kept.push_back(own);
    }
    out_.system = std::move(kept);
  }

  void messages() {
    if (profile_.leave_out.empty()) return;
    for (chat::Message& message : out_.messages) {
      if (message.role == chat::Role::assistant) continue;
      for (chat::Block& block : message.content) {
        auto* text = std::get_if<chat::Text>(&block);
        if (text != nullptr) reminder(message.role, *text);
      }
      const bool others = message.content.size() > 1;
      if (others) {
        std::erase_if(message.content, [](const chat::Block& block) {
          const auto* text = std::get_if<chat::Text>(&block);
          return text != nullptr && text->text.empty();
        });
      }
    }
  }

  void tools() {
    std::erase_if(out_.tools, [this](const chat::Tool& tool) {
      return std::ranges::any_of(profile_.tools_out, [&tool](const std::string& name) {
        return tool.name.escaped == name;
      });
    });
    for (chat::Tool& tool : out_.tools) {
      if (tool.kind == chat::ToolKind::function) shorten(tool);
    }
  }

 private:
  // What the client itself put there: in the marks of reminders, one or several in a text, or as a
  // message of the system. What stands outside of a user's reminders are the user's words.
  void reminder(chat::Role role, chat::Text& text) {
    const std::string_view whole = text.text.escaped;
    const bool wrapped = whole.starts_with(kOpen) && whole.find(kClose) != whole.npos;
    if (role != chat::Role::system && !wrapped) return;
    std::string kept;
    for (std::size_t at = 0; at < whole.size();) {
      const std::size_t open = std::min(whole.find(kOpen, at), whole.size());
      const std::size_t from = std::min(open + kOpen.size(), whole.size());
      const std::size_t close = whole.find(kClose, from);
      const bool closed = close != whole.npos;
      const std::string_view outside = whole.substr(at, closed ? open - at : whole.npos);
      const bool clients = role == chat::Role::system && !is_blank(outside);
      kept += clients ? without(outside, profile_.leave_out) : std::string(outside);
      if (!closed) break;
      const std::string_view inside = whole.substr(from, close - from);
      const std::string left = without(inside, profile_.leave_out);
      const bool nothing = left.size() < inside.size() && is_blank(left);
      if (!nothing) kept.append(kOpen).append(left).append(kClose);
      at = close + kClose.size();
    }
    if (kept.size() == whole.size()) return;
    text.text = is_blank(kept) ? chat::JsonText() : chat::JsonText{out_.keep(std::move(kept))};
  }

  // Our words, and what they keep of the client's.
  std::string described(const ToolWords& words, std::string_view clients) const {
    std::string out = chat::escape(words.description);
    const std::vector<std::string_view> paragraphs = split(clients, kParagraph);
    std::size_t keep_to = 0;
    for (std::size_t i = 0; i < paragraphs.size(); ++i) {
      if (begins_with_any(paragraphs[i], words.keep)) {
        keep_to = std::max(keep_to, end_of_list(paragraphs, i));
      }
      if (i >= keep_to) continue;
      for (const std::string_view line : split(paragraphs[i], kLine)) {
        append(out, first_words(line, profile_.description_bytes), kLine);
      }
    }
    return out;
  }

  void shorten(chat::Tool& tool) {
    const auto words = std::ranges::find_if(profile_.tools, [&tool](const ToolWords& known) {
      return tool.name.escaped == known.name;
    });
    if (words != profile_.tools.end()) {
      tool.description = {out_.keep(described(*words, tool.description.escaped))};
    } else if (tool.description.escaped.size() > profile_.description_bytes) {
      tool.description = {first_words(tool.description.escaped, profile_.description_bytes)};
    }
    if (!tool.schema.empty()) {
      tool.schema = {out_.keep(short_schema(tool.schema, profile_.property_bytes))};
    }
  }

  const Profile& profile_;
  chat::Request& out_;
};

// Only * is special.
bool matches(std::string_view glob, std::string_view text) {
  const std::size_t star = glob.find('*');
  if (star == std::string_view::npos) return glob == text;
  if (!text.starts_with(glob.substr(0, star))) return false;
  text.remove_prefix(star);
  const std::string_view rest = glob.substr(star + 1);
  if (rest.empty()) return true;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) return true;
  }
  return false;
}

}  // namespace

const Profile& generic_profile() {
  static const Profile generic = [] {
    Profile made;
    made.name = "generic";
    made.description_bytes = 600;
    made.property_bytes = 240;
    return made;
  }();
  return generic;
}

const Profile& profile_for(std::span<const Profile> profiles, std::string_view client_agent) {
  for (const Profile& profile : profiles) {
    for (const std::string& glob : profile.agents) {
      if (matches(glob, client_agent)) return profile;
    }
  }
  return generic_profile();
}

chat::Request profiled(const chat::Request& request, const Profile& profile) {
  chat::Request out = request;
  // The copy's views point into the original; its own copy of the arena would only take memory.
  out.arena.clear();
  Profiling profiling(profile, out);
  profiling.system();
  profiling.messages();
  profiling.tools();
  return out;
}

}  // namespace nl::standby
