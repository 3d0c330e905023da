// ToolSchema: a tool call's arguments made to fit the JSON Schema that the tool was declared with.
//
// For answers of models whose server does not hold them to the schema. Checks a subset: type, enum,
// const, properties, required, additionalProperties, items, anyOf and oneOf, local $ref; what it
// does not know it lets pass. Repairs what has one sensible meaning ("3" for a number, a lone value
// for a list, JSON inside a string, a name but for case and underscores, null for something
// optional) and refuses the rest: it never guesses a missing value and never drops a stated one.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "chat/text.h"
#include "dialect/json.h"

namespace nl::dialect {

enum class Fit : std::uint8_t { as_stated, repaired };

struct FittedArguments {
  std::string json;  // an object; the stated bytes where nothing was repaired
  Fit fit = Fit::as_stated;
};

// `schema` may be empty: any object fits. Errors: protocol, naming the place and what is wrong.
Result<FittedArguments> fit_arguments(chat::JsonRaw schema, std::string_view arguments);

// Whether `schema` is an object of "type":"object" with an object of properties: what every vendor
// takes as it is.
bool is_complete_schema(const Value& schema);

// Whether two names are one but for case, underscores, hyphens and spaces.
bool same_name_loosely(std::string_view left, std::string_view right);

}  // namespace nl::dialect
