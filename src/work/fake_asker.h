// FakeAsker and Quiet: a gateway and a watcher of one's own, for the tests of research.
//
// The asker answers by a function of the test, counts by the safe estimate and refuses what is over
// its window, as a gateway would. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "work/pieces.h"
#include "work/research.h"

namespace nl::work {

// A gateway of one's own: counts by the safe estimate, knows its window, says what `say` says.
class FakeAsker final : public Asker {
 public:
  Result<Reply> answer(const Prompt& prompt, const OnText& on_text) override {
    prompts.push_back(prompt);
    if (safe_tokens(prompt.text) > window) {
      return fail(ErrorCode::status, "prompt is too long", 400);
    }
    Result<Reply> reply = say(prompt);
    if (!reply) return reply;
    if (reply->model.empty()) reply->model = target.substr(target.find('/') + 1);
    if (reply->provider.empty()) reply->provider = target.substr(0, target.find('/'));
    if (on_text) on_text(reply->text);
    return reply;
  }
  Result<Count> count(const Prompt& prompt) override {
    Count made;
    made.tokens = safe_tokens(prompt.text + prompt.system);
    made.target = target;
    made.window = window;
    return made;
  }

  static Reply words(std::string text) {
    Reply reply;
    reply.text = std::move(text);
    reply.input_tokens = 10;
    reply.output_tokens = 2;
    reply.cost_usd = 0.5;
    return reply;
  }

  std::int64_t window = 2000;
  std::string target = "here/small";
  std::deque<Prompt> prompts;
  std::function<Result<Reply>(const Prompt&)> say;
};

class Quiet final : public ResearchView {
 public:
  void progress(const ResearchProgress& now) override { last = now; }
  void note(const std::string& text) override { notes.push_back(text); }
  ResearchProgress last;
  std::vector<std::string> notes;
};

}  // namespace nl::work
