// The objects of an OpenAI chat answer, taken apart: a chunk or a whole answer, a choice, a
// message.
//
// Each constructor looks through its object once for the members that say something here; one that
// is not there, or of an object that is none, is an absent Value. The Values live as their Document
// does. Pure.
#pragma once

#include "dialect/json.h"
#include "dialect/members.h"

namespace nl::dialect::openai_chat {

struct Root {
  explicit Root(const Value& root) : whole(root) {
    find_members(root, {{"id", &id},
                        {"model", &model},
                        {"object", &object},
                        {"choices", &choices},
                        {"usage", &counts},
                        {"error", &error},
                        {"timings", &timings},
                        {"prompt_progress", &progress}});
  }
  Value whole, id, model, object, choices, counts, error, timings, progress;
};

struct Choice {
  explicit Choice(const Value& choice) : whole(choice) {
    find_members(choice, {{"index", &index},
                          {"delta", &delta},
                          {"message", &message},
                          {"finish_reason", &reason},
                          {"error", &error}});
  }
  Value whole, index, delta, message, reason, error;
};

// A delta of a stream or the message of a whole answer: the same members.
struct Message {
  explicit Message(const Value& message) {
    find_members(message, {{"content", &text},
                           {"reasoning_content", &thought},
                           {"reasoning", &reasoning},
                           {"refusal", &refusal},
                           {"tool_calls", &calls},
                           {"function_call", &legacy}});
  }
  // Whether there is something in it.
  bool says_something() const {
    const auto full = [](const Value& member) {
      return member.is_string() ? !member.text().empty() : member.size() > 0;
    };
    return full(text) || full(calls) || full(legacy) || full(refusal) || full(thought) ||
           full(reasoning);
  }
  Value text, thought, reasoning, refusal, calls, legacy;
};

}  // namespace nl::dialect::openai_chat
