#include "drill/wire.h"

#include <fmt/format.h>

#include "base/random.h"
#include "chat/text.h"

namespace nl::drill {
namespace {

using chat::escape;
using dialect::DialectId;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::size_t size = space == std::string_view::npos ? text.size() : space + 1;
    words.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return words;
}

std::string arguments_json(const std::string& command) {
  return fmt::format(R"({{"command":"{}","description":"Print one line"}})", escape(command));
}

// --- Anthropic Messages ---

std::string event(std::string_view type, std::string_view members) {
  return fmt::format("event: {0}\ndata: {{\"type\":\"{0}\"{1}{2}}}\n\n", type,
                     members.empty() ? "" : ",", members);
}

std::string usage_json(const DrillTurn& turn, std::int64_t output) {
  return fmt::format(
      R"({{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)"
      R"("output_tokens":{}}})",
      turn.input_tokens, output);
}

std::vector<DrillPiece> anthropic_stream(const DrillTurn& turn, const DrillSpeech& speech) {
  std::vector<DrillPiece> pieces;
  pieces.push_back(
      {event("message_start",
             fmt::format(R"("message":{{"id":"msg_{}","type":"message","role":"assistant",)"
                         R"("model":"{}","content":[],"stop_reason":null,"stop_sequence":null,)"
                         R"("usage":{}}})",
                         random_id(16), escape(turn.model), usage_json(turn, 1))) +
       event("content_block_start", R"("index":0,"content_block":{"type":"text","text":""})")});
  for (const std::string& word : words_of(speech.text)) {
    const std::string delta =
        fmt::format(R"("index":0,"delta":{{"type":"text_delta","text":"{}"}})", escape(word));
    pieces.push_back({event("content_block_delta", delta), true});
  }
  std::string end = event("content_block_stop", R"("index":0)");
  if (!speech.command.empty()) {
    end += event("content_block_start",
                 fmt::format(R"("index":1,"content_block":{{"type":"tool_use","id":"toolu_{}",)"
                             R"("name":"{}","input":{{}}}})",
                             random_id(16), turn.shell));
    end +=
        event("content_block_delta", fmt::format(R"("index":1,"delta":{{"type":"input_json_delta",)"
                                                 R"("partial_json":"{}"}})",
                                                 escape(arguments_json(speech.command))));
    end += event("content_block_stop", R"("index":1)");
  }
  end +=
      event("message_delta",
            fmt::format(R"("delta":{{"stop_reason":"{}","stop_sequence":null}},)"
                        R"("usage":{{"output_tokens":{}}})",
                        speech.command.empty() ? "end_turn" : "tool_use", speech.output_tokens()));
  pieces.push_back({end + event("message_stop", "")});
  return pieces;
}

std::string anthropic_whole(const DrillTurn& turn, const DrillSpeech& speech) {
  std::string content = fmt::format(R"({{"type":"text","text":"{}"}})", escape(speech.text));
  if (!speech.command.empty()) {
    content += fmt::format(R"(,{{"type":"tool_use","id":"toolu_{}","name":"{}","input":{}}})",
                           random_id(16), turn.shell, arguments_json(speech.command));
  }
  return fmt::format(R"({{"id":"msg_{}","type":"message","role":"assistant","model":"{}",)"
                     R"("content":[{}],"stop_reason":"{}","stop_sequence":null,"usage":{}}})",
                     random_id(16), escape(turn.model), content,
                     speech.command.empty() ? "end_turn" : "tool_use",
                     usage_json(turn, speech.output_tokens()));
}

// --- OpenAI Chat Completions ---

std::string openai_usage(const DrillTurn& turn, const DrillSpeech& speech) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                     turn.input_tokens, speech.output_tokens(),
                     turn.input_tokens + speech.output_tokens());
}

std::string tool_calls_json(const DrillTurn& turn, const DrillSpeech& speech,
                            std::string_view index) {
  return fmt::format(R"([{{{}"id":"call_{}","type":"function","function":{{"name":"{}",)"
                     R"("arguments":"{}"}}}}])",
                     index, random_id(16), turn.shell, escape(arguments_json(speech.command)));
}

std::vector<DrillPiece> openai_stream(const DrillTurn& turn, const DrillSpeech& speech) {
  const std::string base =
      fmt::format(R"("id":"gen-{}","object":"chat.completion.chunk","created":1700000000,)"
                  R"("model":"{}")",
                  random_id(16), escape(turn.model));
  const auto chunk = [&](std::string_view delta, std::string_view finish) {
    return fmt::format(
        "data: {{{},\"choices\":[{{\"index\":0,\"delta\":{{{}}},"
        "\"finish_reason\":{}}}]}}\n\n",
        base, delta, finish);
  };
  std::vector<DrillPiece> pieces;
  pieces.push_back({chunk(R"("role":"assistant","content":"")", "null")});
  for (const std::string& word : words_of(speech.text)) {
    const std::string delta = fmt::format(R"("content":"{}")", escape(word));
    pieces.push_back({chunk(delta, "null"), true});
  }
  std::string end;
  if (!speech.command.empty()) {
    end += chunk("\"tool_calls\":" + tool_calls_json(turn, speech, R"("index":0,)"), "null");
  }
  end += chunk("", speech.command.empty() ? R"("stop")" : R"("tool_calls")");
  if (turn.include_usage) {
    end += fmt::format("data: {{{},\"choices\":[],\"usage\":{}}}\n\n", base,
                       openai_usage(turn, speech));
  }
  pieces.push_back({end + "data: [DONE]\n\n"});
  return pieces;
}

std::string openai_whole(const DrillTurn& turn, const DrillSpeech& speech) {
  std::string calls;
  if (!speech.command.empty()) calls = ",\"tool_calls\":" + tool_calls_json(turn, speech, "");
  return fmt::format(R"({{"id":"gen-{}","object":"chat.completion","created":1700000000,)"
                     R"("model":"{}","choices":[{{"index":0,"message":{{"role":"assistant",)"
                     R"("content":"{}","refusal":null{}}},"finish_reason":"{}","logprobs":null}}],)"
                     R"("usage":{}}})",
                     random_id(16), escape(turn.model), escape(speech.text), calls,
                     speech.command.empty() ? "stop" : "tool_calls", openai_usage(turn, speech));
}

}  // namespace

std::vector<DrillPiece> stream_pieces(DialectId dialect, const DrillTurn& turn,
                                      const DrillSpeech& speech) {
  return dialect == DialectId::anthropic ? anthropic_stream(turn, speech)
                                         : openai_stream(turn, speech);
}

std::string whole_body(DialectId dialect, const DrillTurn& turn, const DrillSpeech& speech) {
  return dialect == DialectId::anthropic ? anthropic_whole(turn, speech)
                                         : openai_whole(turn, speech);
}

http::Answer error_answer(DialectId dialect, int status, std::string_view message) {
  http::Answer answer;
  answer.status = status;
  answer.body =
      dialect == DialectId::anthropic
          ? fmt::format(R"({{"type":"error","error":{{"type":"{}","message":"{}"}}}})",
                        status == 429 ? "rate_limit_error" : "invalid_request_error",
                        escape(message))
          : fmt::format(R"({{"error":{{"message":"{}","code":{}}}}})", escape(message), status);
  return answer;
}

http::Answer limit_answer(DialectId dialect, WallTime now, Duration reset) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(reset).count();
  if (dialect != DialectId::anthropic) {
    http::Answer answer = error_answer(dialect, 429, "Rate limit exceeded");
    answer.headers = {{"retry-after", std::to_string(seconds)}};
    return answer;
  }
  http::Answer answer =
      error_answer(dialect, 429, "This request would exceed your account's rate limit.");
  const auto at = std::chrono::ceil<std::chrono::seconds>(now.time_since_epoch() + reset).count();
  const std::string key = "anthropic-ratelimit-unified-";
  answer.headers = {{key + "status", "rejected"},
                    {key + "representative-claim", "five_hour"},
                    {key + "reset", std::to_string(at)},
                    {key + "5h-status", "rejected"},
                    {key + "5h-reset", std::to_string(at)},
                    {key + "5h-utilization", "1.0"},
                    {key + "overage-status", "rejected"},
                    {"retry-after", std::to_string(seconds)},
                    {"x-should-retry", "true"}};
  return answer;
}

}  // namespace nl::drill
