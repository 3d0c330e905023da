#include "standby/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json.h"
#include "dialect/turns.h"
#include "standby/cut_text.h"

namespace nl::standby {
namespace {

using chat::Message;
using chat::Role;

constexpr std::size_t kAskedBytes = 240;
constexpr std::size_t kConcludedBytes = 320;
constexpr std::size_t kCommandBytes = 96;
constexpr std::size_t kListed = 40;
constexpr std::size_t kTranscriptPieceBytes = 600;
constexpr std::int64_t kSummaryTokens = 600;
constexpr std::string_view kAsk =
    "Summarise the conversation below for an assistant that will go on with it and cannot see it. "
    "In at most 300 words say: what the user wants, what was decided and why, which files were "
    "read or changed and how, which commands were run and what they showed, what is left to do. "
    "State facts only; no preamble.";

bool is_reminder(std::string_view escaped) {
  return escaped.starts_with("<system-reminder>");
}

// The lists of one summary, newest last.
class Extract {
 public:
  void take(const Message& message) {
    for (const chat::Block& block : message.content) {
      if (const auto* text = std::get_if<chat::Text>(&block)) {
        if (text->text.empty() || is_reminder(text->text.escaped)) continue;
        if (message.role == Role::user) asked_.push_back(text->text.escaped);
        if (message.role == Role::assistant) concluded_.push_back(text->text.escaped);
      }
      if (const auto* call = std::get_if<chat::ToolUse>(&block)) take(*call);
    }
  }

  std::string text(std::size_t bytes) const {
    std::string out;
    const std::size_t share = bytes / 4;
    add_list(out, "Asked:", shortened(asked_, kAskedBytes), share);
    add_list(out, "Files touched:", files_, share);
    add_list(out, "Commands run:", commands_, share);
    add_list(out, "Said last:", shortened(concluded_, kConcludedBytes), share);
    if (out.empty()) out = "Nothing of note.";
    return out;
  }

 private:
  void take(const chat::ToolUse& call) {
    dialect::Document document;
    const std::string arguments = dialect::arguments_object(call);
    if (!document.parse(arguments)) return;
    const dialect::Value root = document.root();
    for (const std::string_view key : {"file_path", "path", "notebook_path", "filePath", "file"}) {
      note(files_, root[key].text().escaped, kCommandBytes);
    }
    for (const std::string_view key : {"command", "cmd"}) {
      note(commands_, root[key].text().escaped, kCommandBytes);
    }
  }

  // Each thing once, where it was met last.
  static void note(std::vector<std::string>& list, std::string_view what, std::size_t bytes) {
    if (what.empty()) return;
    std::string entry(beginning_of(what, bytes));
    std::erase(list, entry);
    list.push_back(std::move(entry));
    if (list.size() > kListed) list.erase(list.begin());
  }

  static std::vector<std::string> shortened(const std::vector<std::string_view>& texts,
                                            std::size_t bytes) {
    std::vector<std::string> list;
    const std::size_t from = texts.size() > kListed ? texts.size() - kListed : 0;
    for (std::size_t i = from; i < texts.size(); ++i) {
      list.emplace_back(beginning_of(texts[i], bytes));
    }
    return list;
  }

  // The newest entries that fit into `bytes`, oldest first.
  static void add_list(std::string& out, std::string_view title,
                       const std::vector<std::string>& list, std::size_t bytes) {
    std::size_t from = list.size();
    std::size_t size = title.size();
    while (from > 0 && size + list[from - 1].size() + 4 <= bytes) {
      size += list[--from].size() + 4;
    }
    if (from == list.size()) return;
    if (!out.empty()) out += "\\n";
    out += title;
    for (; from < list.size(); ++from) out += "\\n- " + list[from];
  }

  std::vector<std::string_view> asked_;
  std::vector<std::string_view> concluded_;
  std::vector<std::string> files_;
  std::vector<std::string> commands_;
};

void add_line(std::string& out, std::string_view who, std::string_view escaped) {
  if (escaped.empty()) return;
  constexpr CutSize kPiece{kTranscriptPieceBytes * 2 / 3, kTranscriptPieceBytes / 3};
  out += who;
  out += worth_cutting(escaped, kPiece) ? cut_middle(escaped, kPiece) : std::string(escaped);
  out += "\\n";
}

std::string transcript(std::span<const Message* const> messages) {
  std::string out;
  for (const Message* message : messages) {
    const std::string_view who = message->role == Role::assistant ? "ASSISTANT: " : "USER: ";
    for (const chat::Block& block : message->content) {
      if (const auto* text = std::get_if<chat::Text>(&block)) {
        if (!is_reminder(text->text.escaped)) add_line(out, who, text->text.escaped);
      } else if (const auto* call = std::get_if<chat::ToolUse>(&block)) {
        add_line(out, fmt::format("CALL {}: ", call->name.escaped),
                 chat::escape(dialect::arguments_object(*call)));
      } else if (const auto* result = std::get_if<chat::ToolResult>(&block)) {
        for (const chat::ResultPart& part : result->content) {
          if (const auto* piece = std::get_if<chat::Text>(&part)) {
            add_line(out, "RESULT: ", piece->text.escaped);
          }
        }
      }
    }
  }
  return out;
}

}  // namespace

std::string extract_summary(std::span<const Message* const> messages, std::size_t bytes) {
  Extract extract;
  for (const Message* message : messages) extract.take(*message);
  return extract.text(bytes);
}

std::string summary_message(std::string_view text) {
  return fmt::format(
      "[The earlier part of this conversation was left out to fit the model. Its summary:\\n{}\\n"
      "End of the summary.]",
      text);
}

chat::Request summary_request(std::span<const Message* const> messages, std::size_t bytes) {
  chat::Request request;
  chat::Text ask;
  ask.text = {kAsk};
  request.system.push_back(ask);
  std::string story = transcript(messages);
  const CutSize size{bytes / 2, bytes / 2};
  if (story.size() > bytes) story = cut_middle(story, size);
  chat::Text text;
  text.text = {request.keep(std::move(story))};
  Message message;
  message.content.emplace_back(text);
  request.messages.push_back(std::move(message));
  request.max_tokens = kSummaryTokens;
  request.stream = true;
  return request;
}

}  // namespace nl::standby
