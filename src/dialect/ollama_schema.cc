#include <string>
#include <string_view>

#include "dialect/json_writer.h"
#include "dialect/ollama.h"

namespace nl::dialect::ollama {
namespace {

bool all_strings(const Value& array) {
  for (Value one = array.first(); one; one = one.next()) {
    if (!one.is_string()) return false;
  }
  return array.is_array();
}

enum class Level : std::uint8_t { parameters, property };

// A member by the type that the server gives it; members it does not know are no concern of its.
bool fits(const Value& member, Level level) {
  if (member.is_null()) return true;
  if (member.key_is("type")) {
    return member.is_string() || (level == Level::property && all_strings(member));
  }
  if (member.key_is("description")) return member.is_string() || level == Level::parameters;
  if (member.key_is("required")) return all_strings(member);
  if (member.key_is("enum")) return member.is_array() || level == Level::parameters;
  if (member.key_is("properties")) return member.is_object();
  if (member.key_is("anyOf")) return member.is_array() || level == Level::parameters;
  return true;
}

class SchemaWriter {
 public:
  explicit SchemaWriter(std::string& out) : writer_(out) {}

  void schema(const Value& schema, Level level) {
    writer_.begin_object();
    if (level == Level::parameters && !schema["type"].is_string()) writer_.string("type", "object");
    for (Value member = schema.first(); member; member = member.next()) {
      if (fits(member, level)) this->member(member, level);
    }
    if (level == Level::parameters && !schema["properties"].is_object()) {
      writer_.key("properties").begin_object().end_object();
    }
    writer_.end_object();
  }

 private:
  void member(const Value& member, Level level) {
    if (member.key_is("properties") && member.is_object()) {
      writer_.key(member.key()).begin_object();
      for (Value one = member.first(); one; one = one.next()) {
        writer_.key(one.key());
        property(one);
      }
      writer_.end_object();
    } else if (member.key_is("properties")) {
      return;  // null: written at the end
    } else if (member.key_is("anyOf") && level == Level::property && member.is_array()) {
      writer_.key(member.key()).begin_array();
      for (Value one = member.first(); one; one = one.next()) property(one);
      writer_.end_array();
    } else {
      writer_.raw(member.key().escaped, member.json());
    }
  }

  // `true` and the like say nothing of a value.
  void property(const Value& property) {
    if (property.is_object()) return schema(property, Level::property);
    writer_.begin_object().end_object();
  }

  JsonWriter writer_;
};

}  // namespace

void write_parameters(const Value& schema, std::string& out) {
  SchemaWriter(out).schema(schema.is_object() ? schema : Value(), Level::parameters);
}

}  // namespace nl::dialect::ollama
