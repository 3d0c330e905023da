#include "standby/short_json.h"

#include "dialect/json.h"
#include "dialect/json_writer.h"

namespace nl::standby {
namespace {

using dialect::JsonWriter;
using dialect::Value;

// Copies a value; `Strings` decides what becomes of members and strings.
class SchemaCopy {
 public:
  SchemaCopy(JsonWriter& out, std::size_t description_bytes)
      : out_(out), description_bytes_(description_bytes) {}

  // `names`: the members of `value` are properties of the user's choice, not words of JSON Schema.
  enum class Members : std::uint8_t { words, names };

  void copy(Value value, Members members) {
    if (value.is_array()) {
      out_.begin_array();
      for (Value item = value.first(); item; item = item.next()) copy(item, Members::words);
      out_.end_array();
      return;
    }
    if (!value.is_object()) {
      out_.raw(value.json());
      return;
    }
    out_.begin_object();
    for (Value member = value.first(); member; member = member.next()) {
      if (members == Members::names) {
        out_.key(member.key());
        copy(member, Members::words);
      } else {
        word(member);
      }
    }
    out_.end_object();
  }

 private:
  void word(Value member) {
    if (member.key_is("$schema") || member.key_is("title") || member.key_is("examples")) return;
    if (member.key_is("description") && member.is_string()) {
      if (description_bytes_ == 0) return;
      out_.key(member.key()).text({first_words(member.text().escaped, description_bytes_)});
      return;
    }
    out_.key(member.key());
    const bool data = member.key_is("enum") || member.key_is("const") || member.key_is("default");
    const bool names = member.key_is("properties") || member.key_is("$defs") ||
                       member.key_is("definitions") || member.key_is("patternProperties");
    if (data) {
      out_.raw(member.json());
    } else {
      copy(member, names ? Members::names : Members::words);
    }
  }

  JsonWriter& out_;
  std::size_t description_bytes_;
};

void copy_arguments(Value value, CutSize size, JsonWriter& out) {
  if (value.is_string()) {
    const std::string_view text = value.text().escaped;
    if (worth_cutting(text, size)) {
      out.text({cut_middle(text, size)});
    } else {
      out.text({text});
    }
  } else if (value.is_array()) {
    out.begin_array();
    for (Value item = value.first(); item; item = item.next()) copy_arguments(item, size, out);
    out.end_array();
  } else if (value.is_object()) {
    out.begin_object();
    for (Value member = value.first(); member; member = member.next()) {
      out.key(member.key());
      copy_arguments(member, size, out);
    }
    out.end_object();
  } else {
    out.raw(value.json());
  }
}

}  // namespace

std::string short_schema(chat::JsonRaw schema, std::size_t description_bytes) {
  dialect::Document document;
  if (schema.empty() || !document.parse(schema.json)) return std::string(schema.json);
  std::string out;
  JsonWriter writer(out);
  SchemaCopy(writer, description_bytes).copy(document.root(), SchemaCopy::Members::words);
  return out;
}

std::string short_arguments(std::string_view json, CutSize size) {
  dialect::Document document;
  if (!document.parse(json)) return std::string(json);
  std::string out;
  JsonWriter writer(out);
  copy_arguments(document.root(), size, writer);
  return out;
}

}  // namespace nl::standby
