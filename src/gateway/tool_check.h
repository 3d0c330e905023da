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

namespace nl::gateway {

// What becomes of a call that cannot be repaired.
enum class BrokenCall : std::uint8_t {
  ask_again,  // an error event of type kBrokenCall ends the answer
  tell,       // it goes on as text
};

inline constexpr std::string_view kBrokenCall = "broken_tool_call";

struct ToolCheckSetup {
  std::vector<const chat::Tool*> tools;  // declared to this target
  BrokenCall broken = BrokenCall::tell;
  std::size_t held_max = 4u << 20;
};

class ToolCheck final : public dialect::EventSink {
 public:
  ToolCheck(ToolCheckSetup setup, dialect::EventSink& next)
      : setup_(std::move(setup)), next_(next) {}

  void on_event(const chat::Event& event) override;
  // Part of the answer is with the client: asking again is no way out any more.
  void committed() { setup_.broken = BrokenCall::tell; }

 private:
  struct Held {
    std::uint32_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;  // the inside of a JSON string
  };

  void hold(const chat::Event& event);
  void release();
  const chat::Tool* tool_named(std::string_view name) const;
  void pass_call(const chat::Tool& tool, std::string_view arguments);
  void tell(const std::string& why);
  void fail(std::string_view type, const std::string& message);

  ToolCheckSetup setup_;
  dialect::EventSink& next_;
  std::optional<Held> held_;
  bool passed_ = false;  // some call went on
  bool told_ = false;    // some call went on as text
  bool failed_ = false;
};

}  // namespace nl::gateway
