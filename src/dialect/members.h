// Members of one object by name, found in one pass over it.
//
// Value::operator[] scans the object for every name it is asked for. A decoder that asks for twenty
// names of an object with four members does better to look each member up among the names. Pure;
// the Values live as their Document does.
#pragma once

#include <initializer_list>
#include <string_view>

#include "dialect/json.h"

namespace nl::dialect {

struct Wanted {
  std::string_view name;
  Value* into;  // left as it is where there is no such member
};

// The one of `wanted` whose name is `key` as it stands, or null. Nearly every comparison ends at
// the length or at the first letter; no name is empty.
inline const Wanted* wanted_as(std::string_view key, std::initializer_list<Wanted> wanted) {
  if (key.empty()) return nullptr;
  for (const Wanted& one : wanted) {
    if (one.name.size() != key.size() || one.name.front() != key.front()) continue;
    if (one.name == key) return &one;
  }
  return nullptr;
}

// Sets every wanted member of `object` that is there; the last one where a name is repeated.
inline void find_members(const Value& object, std::initializer_list<Wanted> wanted) {
  if (!object.is_object()) return;
  for (Value member = object.first(); member; member = member.next()) {
    const chat::JsonText key = member.key();
    // No wanted name holds a backslash: a key that equals one as it stands has no escape either.
    const Wanted* found = wanted_as(key.escaped, wanted);
    if (found == nullptr && !key.plain()) found = wanted_as(key.utf8(), wanted);
    if (found != nullptr) *found->into = member;
  }
}

}  // namespace nl::dialect
