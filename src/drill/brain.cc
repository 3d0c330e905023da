#include "drill/brain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/json.h"

namespace nl::drill {
namespace {

using dialect::DialectId;
using dialect::Value;

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::array<std::string_view, 2> kTold = {"code word is ", "code word: "};
constexpr std::array<std::string_view, 3> kRun = {"Run ", " run ", "shell command"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What the client puts in by itself is not the user's.
std::string without_reminders(std::string text) {
  constexpr std::string_view kBegin = "<system-reminder>";
  constexpr std::string_view kEnd = "</system-reminder>";
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin)) {
    const std::size_t end = text.find(kEnd, at);
    text.erase(at, end == std::string::npos ? end : end + kEnd.size() - at);
  }
  return text;
}

void hear(DrillTurn& turn, std::string said) {
  const std::string text = without_reminders(std::move(said));
  if (text.find_first_not_of(" \n") == std::string::npos) return;
  turn.steps_done = 0;
  turn.asks_for_word = contains(text, "What is the code word");
  turn.asks_to_run =
      std::any_of(kRun.begin(), kRun.end(), [&](std::string_view w) { return contains(text, w); });
  for (const std::string_view phrase : kTold) {
    const std::size_t at = text.rfind(phrase);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + phrase.size();
    std::size_t end = begin;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > begin) turn.code_word = text.substr(begin, end - begin);
  }
}

void hear_user(DrillTurn& turn, Value content) {
  if (content.is_string()) return hear(turn, content.text().utf8());
  for (Value block = content.first(); block; block = block.next()) {
    if (block["type"].equals("text")) hear(turn, block["text"].text().utf8());
  }
}

bool calls_tool(Value message) {
  if (message["tool_calls"].size() > 0) return true;
  for (Value block = message["content"].first(); block; block = block.next()) {
    if (block["type"].equals("tool_use")) return true;
  }
  return false;
}

}  // namespace

Result<DrillTurn> read_drill_turn(DialectId dialect, std::string_view body) {
  dialect::Document document;
  if (const auto parsed = document.parse(body); !parsed) return std::unexpected(parsed.error());
  const Value root = document.root();
  if (!root["messages"].is_array()) return fail(ErrorCode::bad_request, "no messages", 400);
  const bool anthropic = dialect == DialectId::anthropic;
  DrillTurn turn;
  turn.model = root["model"].text().utf8();
  turn.stream = root["stream"].boolean().value_or(false);
  turn.include_usage =
      anthropic || root["stream_options"]["include_usage"].boolean().value_or(false);
  turn.structured = root["output_config"]["format"].exists() || root["output_format"].exists() ||
                    root["response_format"]["json_schema"].exists();
  for (Value tool = root["tools"].first(); tool; tool = tool.next()) {
    const Value name = anthropic ? tool["name"] : tool["function"]["name"];
    if (name.equals("Bash")) turn.shell = "Bash";
  }
  for (Value message = root["messages"].first(); message; message = message.next()) {
    if (message["role"].equals("user")) hear_user(turn, message["content"]);
    if (message["role"].equals("assistant") && calls_tool(message)) ++turn.steps_done;
  }
  turn.input_tokens = static_cast<std::int64_t>(body.size()) / kBytesPerToken;
  return turn;
}

std::int64_t DrillSpeech::output_tokens() const {
  return 5 + static_cast<std::int64_t>(text.size() + command.size()) / kBytesPerToken;
}

DrillSpeech think(const DrillTurn& turn, std::string_view who, int steps) {
  if (turn.structured) return {R"({"title":"Nightlight drill"})", ""};
  if (turn.asks_for_word) {
    if (turn.code_word.empty()) return {"I was not told any code word.", ""};
    return {fmt::format("[{}] The code word is {}.", who, turn.code_word), ""};
  }
  if (turn.asks_to_run && !turn.shell.empty() && turn.steps_done < steps) {
    const int step = turn.steps_done + 1;
    return {fmt::format("[{}] Step {} of {}: next I print one line in the shell, and I say so one "
                        "word after the other, so that you have the time to cut me off in the "
                        "middle of this sentence.",
                        who, step, steps),
            fmt::format("echo nightlight-drill-step-{}", step)};
  }
  if (turn.steps_done > 0) {
    return {fmt::format("[{}] Done: all {} steps have run and every result came back.", who,
                        turn.steps_done),
            ""};
  }
  return {fmt::format("[{}] I am answering, one word after the other, until somebody pulls the "
                      "plug, which may well happen before I get to the end of this sentence.",
                      who),
          ""};
}

}  // namespace nl::drill
