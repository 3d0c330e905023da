// BlockDecoder: content blocks of a Messages body -> chat::Block; see anthropic.h.
//
// Part of decode_request. Checks the types of the fields it reads and names the JSON path of the
// first that is wrong. Blocks of a type that is not known stay whole (chat::Opaque). Borrows the
// body and the Request it keeps text in; one body.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "chat/request.h"
#include "dialect/json.h"

namespace nl::dialect::anthropic {

class BlockDecoder {
 public:
  // `root` is the body: paths in errors begin there.
  BlockDecoder(const Value& root, chat::Request& request) : root_(root), request_(request) {}

  Result<chat::Block> block(const Value& value);
  // A text block, wherever one may stand.
  Result<chat::Text> text_block(const Value& value);
  // The string member `name` of `object`, which must be there.
  Result<chat::JsonText> required_string(const Value& object, std::string_view name);
  static chat::JsonRaw cache_control(const Value& value);

 private:
  Result<chat::Block> image_block(const Value& value);
  Result<std::optional<chat::Image>> image_source(const Value& value);
  Result<chat::Block> tool_use(const Value& value);
  Result<chat::Block> tool_result(const Value& value);
  Result<chat::ResultPart> result_part(const Value& value);
  chat::Text foreign_part(const Value& value);
  Result<chat::Block> thinking(const Value& value);

  Value root_;
  chat::Request& request_;
};

}  // namespace nl::dialect::anthropic
