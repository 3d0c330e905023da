// FoldedAnswer: the pieces of an answer put together, for writers of whole bodies that want its
// text, its thoughts and its calls side by side.
//
// Behind the writer's fold(). Takes blocks in order, one open at a time, as chat::Event has them;
// texts stay escaped. A value; one thread.
#pragma once

#include <string>
#include <vector>

#include "chat/event.h"

namespace nl::dialect {

struct FoldedCall {
  std::string id;
  std::string name;
  std::string arguments;
};

struct FoldedAnswer {
  std::string text;
  std::string thinking;
  std::vector<FoldedCall> calls;
  chat::StopReason stop = chat::StopReason::none;

  void add(const chat::Event& event);
};

}  // namespace nl::dialect
