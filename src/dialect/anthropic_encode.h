// Pieces of a Messages body, written for a target of this dialect; see anthropic.h.
//
// encode_request (anthropic_encode.cc) puts them together: turns and their blocks come from
// anthropic_messages.cc, declarations from anthropic_tools.cc. Pure; one body per CacheMarks.
#pragma once

#include <string>
#include <vector>

#include "chat/request.h"
#include "dialect/dialect.h"
#include "dialect/json_writer.h"
#include "dialect/turns.h"

namespace nl::dialect::anthropic {

// The vendor takes four cache marks per request and refuses a fifth.
class CacheMarks {
 public:
  // `mark` while there is room for one, else nothing.
  chat::JsonRaw take(chat::JsonRaw mark) {
    if (mark.empty() || left_ == 0) return {};
    --left_;
    return mark;
  }

 private:
  int left_ = 4;
};

// True for text without a visible character: the vendor refuses such blocks.
bool is_blank(chat::JsonText text);

// `{"type":"text",...}` for text that is not blank.
void append_text(JsonWriter& json, const chat::Text& text, CacheMarks& marks);

// The value of `messages`. Never empty, begins with the user, leaves out all thinking: a signature
// is good for one vendor, model and conversation, and those bodies take the pass-through lane.
void append_messages(JsonWriter& json, const std::vector<Turn>& turns, const EncodeOptions& options,
                     CacheMarks& marks);

// The members `tools` and `tool_choice`, as far as there is something to declare.
void append_tools(JsonWriter& json, const chat::Request& request, const EncodeOptions& options,
                  CacheMarks& marks);

// `name` as this vendor takes it: up to 128 bytes of [a-zA-Z0-9_-].
std::string tool_name(chat::JsonText name);

}  // namespace nl::dialect::anthropic
