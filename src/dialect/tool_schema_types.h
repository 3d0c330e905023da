// The types of JSON Schema, and how a value compares with what a schema lists.
//
// Below tool_schema.h, over parsed JSON. What is no schema allows anything. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "dialect/json.h"

namespace nl::dialect::schema {

enum class Type : std::uint8_t { null, boolean, integer, number, object, array, string };

// In this order a value is turned into one of several allowed types: what it can be mistaken for
// least comes first.
inline constexpr std::array<Type, 7> kByStrictness = {Type::null,   Type::boolean, Type::integer,
                                                      Type::number, Type::object,  Type::array,
                                                      Type::string};

const char* name(Type type);

class Types {
 public:
  void add(Type type) { bits_ = static_cast<std::uint8_t>(bits_ | bit(type)); }
  bool has(Type type) const { return (bits_ & bit(type)) != 0; }
  bool any() const { return bits_ != 0; }
  // "string or null", for people.
  std::string words() const;

 private:
  static std::uint8_t bit(Type type) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(type));
  }
  std::uint8_t bits_ = 0;
};

// What `schema` allows: its `type`, or what its `properties` or `items` imply; none = anything.
Types types_of(const Value& schema);
// Which of `allowed` the value is; nothing when it is none of them.
std::optional<Type> type_of(const Value& value, const Types& allowed);
// Whether null fits, as far as can be told: in doubt yes.
bool takes_null(const Value& schema);

// Whether two values are equal; containers only by their bytes.
bool same_value(const Value& left, const Value& right);
// Whether a scalar means the listed one: a word but for case and underscores, a number or boolean
// written as a string.
bool same_loosely(const Value& value, const Value& listed);

}  // namespace nl::dialect::schema
