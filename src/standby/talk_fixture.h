// Random conversations of a coding agent for tests, as client bodies of both dialects.
//
// A Talk is seeded and grows message by message; body() is what the client would send now. Every
// call gets its result, now and then several calls at once, in another order. Tests only.
#pragma once

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "dialect/dialect.h"

namespace nl::standby::test {

class Talk {
 public:
  struct Call {
    std::string id, command;
  };
  struct Result {
    std::string id, text;
  };
  // One message of the conversation.
  struct Said {
    std::string user, assistant, thought;
    std::vector<Call> calls;
    std::vector<Result> results;
  };

  explicit Talk(unsigned seed) : random_(seed) {
    system_ = "You are a coding agent. " + words(200);
    ask("Please do this: " + words(30 + random_() % 100));
  }

  // One more exchange: an assistant's turn with calls and results, or with words and a new
  // question.
  void grow(std::size_t result_words) {
    Said turn;
    if (random_() % 3 == 0) turn.assistant = words(10 + random_() % 60);
    if (random_() % 2 == 0) turn.thought = words(20 + random_() % 80);
    if (random_() % 6 == 0) {
      turn.assistant = words(40);
      said_.push_back(turn);
      ask("Next question: " + words(5 + random_() % 60));
      return;
    }
    Said answer;
    const auto calls = 1 + (random_() % 4 == 0 ? random_() % 3 : 0);
    for (std::size_t i = 0; i < calls; ++i) {
      const std::string id = fmt::format("call_{}", ++ids_);
      turn.calls.push_back({id, "cat " + words(3)});
      answer.results.insert(answer.results.begin(), {id, words(1 + random_() % result_words)});
    }
    said_.push_back(turn);
    say(answer);
  }

  std::string latest_words() const {
    for (auto said = said_.rbegin(); said != said_.rend(); ++said) {
      if (!said->user.empty()) return said->user;
    }
    return {};
  }
  const std::string& system() const { return system_; }
  std::size_t messages() const { return said_.size(); }
  std::string body(dialect::DialectId dialect) const {
    return dialect == dialect::DialectId::anthropic ? anthropic() : openai();
  }

 private:
  void say(Said said) { said_.push_back(std::move(said)); }
  void ask(std::string words) {
    Said question;
    question.user = std::move(words);
    say(std::move(question));
  }

  std::string words(std::size_t count) {
    static const std::vector<std::string> kWords = {
        "alpha",     "the", "return",  "value",         "src/main.cc",   "\\n",
        "\\\"x\\\"", "42",  "error",   "test",          "\u00e9t\u00e9", "if",
        "{}",        "\\t", "\\u00e9", "\\ud83d\\ude00"};
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += kWords[random_() % kWords.size()] + " ";
    return out;
  }

  std::string tools(std::string_view schema_key, std::string_view open,
                    std::string_view end) const {
    std::string out;
    for (const char* name : {"Bash", "Read", "Deploy", "Paint"}) {
      out += fmt::format(
          R"({}{}"name":"{}","description":"Does a thing. It is described at length here.",)"
          R"("{}":{{"type":"object","properties":{{"command":{{"type":"string"}}}},)"
          R"("required":["command"]}}{})",
          out.empty() ? "" : ",", open, name, schema_key, end);
    }
    return out;
  }

  std::string anthropic() const {
    std::string list;
    for (const Said& said : said_) {
      std::string blocks;
      const auto add = [&blocks](const std::string& block) {
        blocks += (blocks.empty() ? "" : ",") + block;
      };
      const bool answers = said.user.empty() && said.results.empty();
      for (const Result& result : said.results) {
        add(fmt::format(R"({{"type":"tool_result","tool_use_id":"{}","content":"{}"}})", result.id,
                        result.text));
      }
      if (!said.thought.empty()) {
        add(fmt::format(R"({{"type":"thinking","thinking":"{}","signature":"s"}})", said.thought));
      }
      const std::string& text = answers ? said.assistant : said.user;
      if (!text.empty()) add(fmt::format(R"({{"type":"text","text":"{}"}})", text));
      for (const Call& call : said.calls) {
        add(fmt::format(
            R"({{"type":"tool_use","id":"{}","name":"Bash","input":{{"command":"{}"}}}})", call.id,
            call.command));
      }
      list += fmt::format(R"({}{{"role":"{}","content":[{}]}})", list.empty() ? "" : ",",
                          answers ? "assistant" : "user", blocks);
    }
    return fmt::format(
        R"({{"model":"m","max_tokens":1000,"system":"{}","tools":[{}],"messages":[{}]}})", system_,
        tools("input_schema", "{", "}"), list);
  }

  std::string openai() const {
    std::string list = fmt::format(R"({{"role":"system","content":"{}"}})", system_);
    for (const Said& said : said_) {
      for (const Result& result : said.results) {
        list += fmt::format(R"(,{{"role":"tool","tool_call_id":"{}","content":"{}"}})", result.id,
                            result.text);
      }
      if (!said.user.empty()) {
        list += fmt::format(R"(,{{"role":"user","content":"{}"}})", said.user);
      }
      if (said.user.empty() && said.results.empty()) list += ",";
      if (said.user.empty() && said.results.empty()) list += openai_answer(said);
    }
    return fmt::format(R"({{"model":"m","max_tokens":1000,"tools":[{}],"messages":[{}]}})",
                       tools("parameters", R"({"type":"function","function":{)", "}}"), list);
  }

  static std::string openai_answer(const Said& said) {
    std::string calls;
    for (const Call& call : said.calls) {
      const std::string arguments =
          chat::escape(fmt::format(R"({{"command":"{}"}})", call.command));
      calls += fmt::format(
          R"({}{{"id":"{}","type":"function","function":{{"name":"Bash","arguments":"{}"}}}})",
          calls.empty() ? "" : ",", call.id, arguments);
    }
    const std::string content =
        said.assistant.empty() ? std::string("null") : "\"" + said.assistant + "\"";
    return calls.empty() ? fmt::format(R"({{"role":"assistant","content":{}}})",
                                       said.assistant.empty() ? "\"\"" : content)
                         : fmt::format(R"({{"role":"assistant","content":{},"tool_calls":[{}]}})",
                                       content, calls);
  }

  std::mt19937 random_;
  std::string system_;
  std::vector<Said> said_;
  int ids_ = 0;
};

}  // namespace nl::standby::test
