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

// Sets every wanted member of `object` that is there; the last one where a name is repeated.
inline void find_members(const Value& object, std::initializer_list<Wanted> wanted) {
  if (!object.is_object()) return;
  for (Value member = object.first(); member; member = member.next()) {
    const chat::JsonText key = member.key();
    const bool plain = key.plain();
    for (const Wanted& one : wanted) {
      if (plain ? key.escaped != one.name : !member.key_is(one.name)) continue;
      *one.into = member;
      break;
    }
  }
}

}  // namespace nl::dialect
