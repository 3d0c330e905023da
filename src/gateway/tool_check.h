// ToolCheck: holds an answer's tool calls until they are whole and lets none through that does not
// fit its declaration.
//
// For models on this machine, whose servers do not hold arguments to their schema. Sits between a
// reader and the relay: other events pass, a call waits (progress is reported meanwhile) and goes
// on with repaired name and arguments. What cannot be repaired fails the attempt once, so that the
// model is asked again, or goes on as text that tells what was wrong. One answer; loop thread. The
// request, the sink and `held_max` bytes of one call bound it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/event.h"
#include "chat/request.h"
#include "dialect/dialect.h"
#include "gateway/call_loop.h"
#include "gateway/text_calls.h"

namespace nl::gateway {

// What becomes of a call that cannot be repaired.
enum class BrokenCall : std::uint8_t {
  ask_again,  // an error event of type kBrokenCall ends the answer
  tell,       // it goes on as text
};

inline constexpr std::string_view kBrokenCall = "broken_tool_call";

// Whether an answer in words is what was asked for.
enum class Words : std::uint8_t {
  welcome,
  want_form,  // the request wants a format too: an error event of type kFormWanted ends the answer
};

inline constexpr std::string_view kFormWanted = "answer_wants_its_format";

struct ToolCheckSetup {
  std::vector<const chat::Tool*> tools;  // declared to this target
  BrokenCall broken = BrokenCall::tell;
  std::size_t held_max = 4u << 20;
  std::optional<RepeatedCall> repeated = {};  // is not let through once more
  Words words = Words::welcome;
};

class ToolCheck final : public dialect::EventSink {
 public:
  ToolCheck(ToolCheckSetup setup, dialect::EventSink& next)
      : setup_(std::move(setup)), next_(next), calls_(*this), texts_(setup_.tools, calls_) {}
  ToolCheck(const ToolCheck&) = delete;
  ToolCheck& operator=(const ToolCheck&) = delete;

  void on_event(const chat::Event& event) override { texts_.on_event(event); }
  // Part of the answer is with the client: asking again is no way out any more.
  void committed() {
    setup_.broken = BrokenCall::tell;
    setup_.words = Words::welcome;
  }

 private:
  struct Held {
    std::uint32_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;  // the inside of a JSON string
  };

  // What comes out of the sieve for calls in text.
  class Calls final : public dialect::EventSink {
   public:
    explicit Calls(ToolCheck& check) : check_(check) {}
    void on_event(const chat::Event& event) override { check_.check(event); }

   private:
    ToolCheck& check_;
  };

  void check(const chat::Event& event);
  // Words where only a call or the wanted format will do; true = the event goes no further.
  bool wants_form(const chat::Event& event);
  void hold(const chat::Event& event);
  void release();
  bool is_repeated(const chat::Tool& tool, std::string_view arguments) const;
  void pass_call(const chat::Tool& tool, std::string_view arguments);
  void tell(const std::string& why);
  void fail(std::string_view type, const std::string& message);

  ToolCheckSetup setup_;
  dialect::EventSink& next_;
  Calls calls_;
  TextCalls texts_;
  std::optional<Held> held_;
  bool passed_ = false;  // some call went on
  bool told_ = false;    // some call went on as text
  bool failed_ = false;
};

}  // namespace nl::gateway
