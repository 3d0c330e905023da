#include "standby/message_form.h"

#include <algorithm>
#include <string>

#include "standby/short_json.h"

namespace nl::standby {
namespace {

using chat::Block;
using chat::JsonText;

constexpr CutSize kShort{480, 240};
constexpr CutSize kTight{160, 80};
constexpr std::int64_t kMessageTokens = 6;     // turn marks
constexpr std::int64_t kCallTokens = 12;       // marks, name and id of a call or of its result
constexpr std::int64_t kImageTokens = 300;     // Gemma's usual budget and its marks
constexpr std::int64_t kNoteTokens = 12;       // of an image that the model does not read
constexpr std::size_t kOpaqueBytesMax = 2048;  // more of it is left out by the encoder

CutSize result_size(Level level, const FormRules& rules) {
  switch (level) {
    case Level::whole:
      return rules.arriving;
    case Level::short_results:
    case Level::bare:
      return {std::min(kShort.head, rules.arriving.head),
              std::min(kShort.tail, rules.arriving.tail)};
    case Level::tight:
    case Level::gone:
      break;
  }
  return kTight;
}

// Copies one message, block by block.
class Shortener {
 public:
  Shortener(Level level, const FormRules& rules, chat::Request& owner)
      : level_(level), results_(result_size(level, rules)), owner_(owner) {}

  void operator()(const chat::Text& text) {
    if (level_ != Level::tight || !worth_cutting(text.text.escaped, kTight)) {
      out_.emplace_back(text);
      return;
    }
    chat::Text cut = text;
    cut.text = {owner_.keep(cut_middle(text.text.escaped, kTight))};
    out_.emplace_back(cut);
  }
  void operator()(const chat::Image& image) {
    if (!bare()) {
      out_.emplace_back(image);
      return;
    }
    chat::Text note;
    note.text = {"[an earlier image, left out]"};
    out_.emplace_back(note);
  }
  void operator()(const chat::ToolUse& call) { out_.emplace_back(short_call(call)); }
  void operator()(const chat::ToolResult& result) { out_.emplace_back(short_result(result)); }
  void operator()(const chat::Thinking& thinking) {
    if (!bare()) out_.emplace_back(thinking);
  }
  void operator()(const chat::Opaque& opaque) {
    if (!bare()) out_.emplace_back(opaque);
  }

  std::vector<Block> take() { return std::move(out_); }

 private:
  bool bare() const { return level_ == Level::bare || level_ == Level::tight; }

  chat::ToolUse short_call(const chat::ToolUse& call) {
    chat::ToolUse made = call;
    if (level_ == Level::whole) return made;
    const std::size_t size = call.input.json.size() + call.input_text.escaped.size();
    if (size < results_.head + results_.tail) return made;
    if (!call.input.empty()) {
      made.input = {owner_.keep(short_arguments(call.input.json, results_))};
    } else if (!call.input_text.empty()) {
      made.input_text = {
          owner_.keep(chat::escape(short_arguments(call.input_text.utf8(), results_)))};
    }
    return made;
  }

  chat::ToolResult short_result(const chat::ToolResult& result) {
    chat::ToolResult made = result;
    for (chat::ResultPart& part : made.content) {
      if (auto* text = std::get_if<chat::Text>(&part)) {
        if (worth_cutting(text->text.escaped, results_)) {
          text->text = {owner_.keep(cut_middle(text->text.escaped, results_))};
        }
      } else if (bare()) {
        chat::Text note;
        note.text = {"[an earlier image, left out]"};
        part = note;
      }
    }
    return made;
  }

  Level level_;
  CutSize results_;
  chat::Request& owner_;
  std::vector<Block> out_;
};

class Weigher {
 public:
  Weigher(const TokenCounts& counts, const FormRules& rules) : counts_(counts), rules_(rules) {}

  void operator()(const chat::Text& text) { add(text.text.escaped); }
  void operator()(const chat::Image&) {
    weight_.tokens += rules_.images ? kImageTokens : kNoteTokens;
  }
  void operator()(const chat::ToolUse& call) {
    weight_.tokens += kCallTokens;
    add(call.name.escaped);
    add(call.input.json);
    add(call.input_text.escaped);
  }
  void operator()(const chat::ToolResult& result) {
    weight_.tokens += kCallTokens;
    for (const chat::ResultPart& part : result.content) std::visit(*this, part);
  }
  void operator()(const chat::Thinking& thinking) { add(thinking.text.escaped); }
  void operator()(const chat::Opaque& opaque) { add(opaque.json.json.substr(0, kOpaqueBytesMax)); }

  void add(std::string_view escaped) {
    if (escaped.empty()) return;
    const TokenCounts::Count count = counts_.of(escaped);
    weight_.tokens += count.tokens;
    weight_.exact = weight_.exact && count.exact;
  }

  Weight weight_;

 private:
  const TokenCounts& counts_;
  const FormRules& rules_;
};

}  // namespace

chat::Message at_level(const chat::Message& message, Level level, const FormRules& rules,
                       chat::Request& owner) {
  chat::Message made;
  made.role = message.role;
  Shortener shortener(level, rules, owner);
  for (const Block& block : message.content) std::visit(shortener, block);
  made.content = shortener.take();
  return made;
}

Losses losses_of(const chat::Message& message, Level level, const FormRules& rules) {
  Losses losses;
  const CutSize size = result_size(level, rules);
  const bool bare = level == Level::bare || level == Level::tight;
  for (const Block& block : message.content) {
    if (std::holds_alternative<chat::Thinking>(block)) losses.thoughts += bare ? 1 : 0;
    if (std::holds_alternative<chat::Image>(block)) losses.images += bare ? 1 : 0;
    if (const auto* text = std::get_if<chat::Text>(&block)) {
      losses.texts += level == Level::tight && worth_cutting(text->text.escaped, kTight) ? 1 : 0;
    }
    const auto* result = std::get_if<chat::ToolResult>(&block);
    if (result == nullptr) continue;
    bool cut = false;
    for (const chat::ResultPart& part : result->content) {
      const auto* text = std::get_if<chat::Text>(&part);
      if (text == nullptr) losses.images += bare ? 1 : 0;
      cut = cut || (text != nullptr && worth_cutting(text->text.escaped, size));
    }
    losses.results += cut ? 1 : 0;
  }
  return losses;
}

Weight weight_of(const chat::Message& message, const TokenCounts& counts, const FormRules& rules) {
  Weigher weigher(counts, rules);
  weigher.weight_.tokens = kMessageTokens;
  for (const Block& block : message.content) std::visit(weigher, block);
  return weigher.weight_;
}

Weight weight_of(const chat::Tool& tool, const TokenCounts& counts) {
  Weigher weigher(counts, FormRules());
  weigher.weight_.tokens = kCallTokens;
  weigher.add(tool.name.escaped);
  weigher.add(tool.description.escaped);
  weigher.add(tool.schema.json);
  return weigher.weight_;
}

}  // namespace nl::standby
