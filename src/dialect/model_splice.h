// splice_model: a body with its model name replaced, for dialects that keep it in the top-level
// member `model`.
//
// Part of the pass-through lane: every other byte stays. Pure; any thread.
#pragma once

#include <string>

#include "dialect/dialect.h"

namespace nl::dialect {

// `root`'s text with `options.model` for its `model` and `options.extra_members` at its end, as far
// as it has no members of those names: what the client says itself holds.
std::string splice_model(const Value& root, const SpliceOptions& options);

}  // namespace nl::dialect
