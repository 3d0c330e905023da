// Where in a body a mistake is: "messages[3].content[0].text", for the errors of decode_request.
//
// The path is found by walking down to the value only when an error is made, so that reading a good
// body pays nothing for it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/json.h"

namespace nl::dialect {

// The path of `at` below `root`, bounded to 200 bytes; empty for the root.
std::string json_path(const Value& root, const Value& at);

// bad_request, status 400: "<path of at>: expected <what>".
std::unexpected<Error> refuse_type(const Value& root, const Value& at, std::string_view what);

// bad_request, status 400: "<path of object>.<name>: field required".
std::unexpected<Error> refuse_missing(const Value& root, const Value& object,
                                      std::string_view name);

}  // namespace nl::dialect
