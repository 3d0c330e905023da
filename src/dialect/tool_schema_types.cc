#include "dialect/tool_schema_types.h"

#include <cmath>
#include <string_view>

#include "dialect/tool_schema.h"

namespace nl::dialect::schema {
namespace {

std::optional<Type> named(const Value& word) {
  for (const Type type : kByStrictness) {
    if (word.equals(name(type))) return type;
  }
  return std::nullopt;
}

bool is_whole(const Value& number) {
  if (number.raw().find_first_of(".eE") == std::string_view::npos) return true;
  const std::optional<double> value = number.number();
  return value && std::isfinite(*value) && std::floor(*value) == *value;
}

}  // namespace

const char* name(Type type) {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::object:
      return "object";
    case Type::array:
      return "array";
    case Type::string:
      return "string";
  }
  return "";
}

std::string Types::words() const {
  std::string out;
  for (const Type type : kByStrictness) {
    if (has(type)) out.append(out.empty() ? "" : " or ").append(name(type));
  }
  return out;
}

Types types_of(const Value& schema) {
  Types types;
  const Value stated = schema["type"];
  if (const auto one = named(stated)) types.add(*one);
  for (Value each = stated.first(); each; each = each.next()) {
    if (const auto one = named(each)) types.add(*one);
  }
  if (!types.any() && schema["properties"].is_object()) types.add(Type::object);
  if (!types.any() && schema["items"].is_object()) types.add(Type::array);
  if (types.any() && schema["nullable"].boolean().value_or(false)) types.add(Type::null);
  return types;
}

std::optional<Type> type_of(const Value& value, const Types& allowed) {
  const auto if_allowed = [&](Type type) {
    return allowed.has(type) ? std::optional<Type>(type) : std::nullopt;
  };
  switch (value.kind()) {
    case JsonKind::null:
      return if_allowed(Type::null);
    case JsonKind::boolean:
      return if_allowed(Type::boolean);
    case JsonKind::number:
      if (allowed.has(Type::integer) && is_whole(value)) return Type::integer;
      return if_allowed(Type::number);
    case JsonKind::string:
      return if_allowed(Type::string);
    case JsonKind::array:
      return if_allowed(Type::array);
    case JsonKind::object:
      return if_allowed(Type::object);
  }
  return std::nullopt;
}

bool takes_null(const Value& schema) {
  if (!schema.is_object()) return !(schema.is_bool() && !schema.boolean().value_or(true));
  if (schema["enum"].is_array()) {
    for (Value each = schema["enum"].first(); each; each = each.next()) {
      if (each.is_null()) return true;
    }
    return false;
  }
  const Types types = types_of(schema);
  if (types.any()) return types.has(Type::null);
  for (const std::string_view ways : {"anyOf", "oneOf"}) {
    if (!schema[ways].is_array()) continue;
    for (Value each = schema[ways].first(); each; each = each.next()) {
      if (takes_null(each)) return true;
    }
    return false;
  }
  return true;
}

bool same_value(const Value& left, const Value& right) {
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case JsonKind::string:
      return left.text().utf8() == right.text().utf8();
    case JsonKind::number:
      return left.raw() == right.raw() || left.number() == right.number();
    case JsonKind::null:
    case JsonKind::boolean:
    case JsonKind::array:
    case JsonKind::object:
      return left.raw() == right.raw();
  }
  return false;
}

bool same_loosely(const Value& value, const Value& listed) {
  if (value.is_string() && listed.is_string()) {
    return same_name_loosely(value.text().utf8(), listed.text().utf8());
  }
  if (value.is_string() && (listed.is_number() || listed.is_bool())) {
    return value.text().utf8() == listed.raw();
  }
  return (value.is_number() || value.is_bool()) && listed.is_string() &&
         listed.text().utf8() == value.raw();
}

}  // namespace nl::dialect::schema

namespace nl::dialect {

bool is_complete_schema(const Value& schema) {
  return schema["type"].equals("object") && schema["properties"].is_object();
}

}  // namespace nl::dialect
