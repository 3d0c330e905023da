#include "dialect/tool_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "dialect/json.h"
#include "dialect/tool_schema_types.h"

namespace nl::dialect {
namespace {

using schema::Type;

// A schema that refers to itself, or offers many ways, is given up: its values pass unchecked.
constexpr int kDepthMax = 64;
constexpr int kStepsMax = 20'000;
// Objects of more members are data, not arguments: they pass unchecked.
constexpr std::uint32_t kMembersMax = 500;
constexpr std::size_t kWhereBytesMax = 120;

std::string loose(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ') continue;
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// Makes a value fit a schema by writing it anew. Every try_ and fit function appends one JSON value
// to `out` and returns true, or returns false with misfit_ set and `out` in any state.
class Fitter {
 public:
  explicit Fitter(Value root) : root_(root) {}

  bool fit(const Value& value, const Value& schema, std::string& out);
  bool repaired() const { return repaired_; }
  const std::string& misfit() const { return misfit_; }

 private:
  bool fit_known(const Value& value, const Value& schema, std::string& out);
  bool fit_listed(const Value& value, const Value& schema, std::string& out);
  bool fit_types(const Value& value, const Value& schema, std::string& out);
  bool fit_object(const Value& value, const Value& schema, std::string& out);
  bool fit_member(const Value& member, const Value& schema, std::string& out);
  bool fit_array(const Value& value, const Value& schema, std::string& out);
  bool fit_any(const Value& value, const Value& alternatives, std::string& out);
  bool convert(const Value& value, Type to, const Value& schema, std::string& out);
  bool parsed_text(const Value& value, Type to, const Value& schema, std::string& out);
  bool in_list(const Value& value, const Value& schema, std::string& out);
  bool out_of_list(const Value& value, const Value& schema, std::string& out);
  Value resolve(const Value& reference) const;

  bool refuse(std::string what) {
    std::string where;
    for (const std::string& step : path_) where += (where.empty() ? "" : ".") + step;
    if (where.size() > kWhereBytesMax) where = where.substr(0, kWhereBytesMax) + "...";
    misfit_ = where.empty() ? std::move(what) : where + ": " + std::move(what);
    return false;
  }

  bool refuse_member(const std::string& name, std::string what) {
    path_.push_back(name);
    refuse(std::move(what));
    path_.pop_back();
    return false;
  }

  Value root_;  // of the schema, for references
  int depth_ = 0;
  int steps_ = 0;
  bool repaired_ = false;
  std::string misfit_;
  std::vector<std::string> path_;
};

bool Fitter::fit(const Value& value, const Value& schema, std::string& out) {
  if (++steps_ > kStepsMax || depth_ >= kDepthMax || !schema.is_object()) {
    if (schema.is_bool() && !schema.boolean().value_or(true)) return refuse("is not allowed");
    out += value.raw();
    return true;
  }
  ++depth_;
  const bool fits = fit_known(value, schema, out);
  --depth_;
  return fits;
}

bool Fitter::fit_known(const Value& value, const Value& schema, std::string& out) {
  if (schema["$ref"].is_string()) return fit(value, resolve(schema["$ref"]), out);
  if (schema["enum"].is_array() || schema["const"]) return fit_listed(value, schema, out);
  if (schema::types_of(schema).any()) return fit_types(value, schema, out);
  for (const std::string_view name : {"anyOf", "oneOf"}) {
    if (schema[name].is_array()) return fit_any(value, schema[name], out);
  }
  out += value.raw();
  return true;
}

// "#/$defs/name" and the like; absent when it leads nowhere.
Value Fitter::resolve(const Value& reference) const {
  const std::string path = reference.text().utf8();
  if (!path.starts_with('#')) return {};
  Value at = root_;
  std::size_t begin = 1;
  while (begin < path.size() && at) {
    if (path[begin] != '/') return {};
    const std::size_t end = std::min(path.find('/', begin + 1), path.size());
    at = at[path.substr(begin + 1, end - begin - 1)];
    begin = end;
  }
  return at;
}

bool Fitter::fit_listed(const Value& value, const Value& schema, std::string& out) {
  const auto equal = [&](const Value& listed) { return schema::same_value(value, listed); };
  if (schema["const"]) {
    if (equal(schema["const"])) {
      out += value.raw();
      return true;
    }
    if (schema::same_loosely(value, schema["const"])) {
      repaired_ = true;
      out += schema["const"].raw();
      return true;
    }
    return refuse("must be " + std::string(schema["const"].raw().substr(0, 80)));
  }
  Value near;
  int matches = 0;
  for (Value listed = schema["enum"].first(); listed; listed = listed.next()) {
    if (equal(listed)) {
      out += value.raw();
      return true;
    }
    if (!schema::same_loosely(value, listed)) continue;
    near = listed;
    ++matches;
  }
  if (matches != 1) {
    return refuse("must be one of " + std::string(schema["enum"].raw().substr(0, 200)));
  }
  repaired_ = true;
  out += near.raw();
  return true;
}

bool Fitter::fit_types(const Value& value, const Value& schema, std::string& out) {
  const schema::Types types = schema::types_of(schema);
  const std::optional<Type> is = schema::type_of(value, types);
  if (is == Type::object) return fit_object(value, schema, out);
  if (is == Type::array) return fit_array(value, schema, out);
  if (is) {
    out += value.raw();
    return true;
  }
  const std::size_t begin = out.size();
  for (const Type to : schema::kByStrictness) {
    if (!types.has(to)) continue;
    if (convert(value, to, schema, out)) {
      repaired_ = true;
      return true;
    }
    out.resize(begin);
  }
  return refuse("must be " + types.words());
}

bool Fitter::convert(const Value& value, Type to, const Value& schema, std::string& out) {
  if (value.is_null()) return false;
  switch (to) {
    case Type::null:
      return false;
    case Type::boolean:
      if (value.is_array()) return out_of_list(value, schema, out);
      for (const std::string_view word : {"true", "false"}) {
        if (!value.is_string() || !same_name_loosely(value.text().utf8(), word)) continue;
        out += word;
        return true;
      }
      return false;
    case Type::integer:
    case Type::number:
      if (value.is_array()) return out_of_list(value, schema, out);
      return value.is_string() && parsed_text(value, to, schema, out);
    case Type::object:
      return value.is_string() && parsed_text(value, to, schema, out);
    case Type::array:
      return parsed_text(value, to, schema, out) || in_list(value, schema, out);
    case Type::string:
      if (value.is_array()) return out_of_list(value, schema, out);
      if (!value.is_number() && !value.is_bool()) return false;
      out.append("\"").append(value.raw()).append("\"");
      return true;
  }
  return false;
}

// A string that holds the JSON of what was wanted.
bool Fitter::parsed_text(const Value& value, Type to, const Value& schema, std::string& out) {
  if (!value.is_string()) return false;
  const std::string text = value.text().utf8();
  Document document;
  if (!document.parse(text)) return false;
  const Value inner = document.root();
  schema::Types wanted;
  wanted.add(to);
  if (schema::type_of(inner, wanted) != to) return false;
  if (to != Type::object && to != Type::array) {
    out += inner.raw();
    return true;
  }
  const std::size_t begin = out.size();
  if (to == Type::object ? fit_object(inner, schema, out) : fit_array(inner, schema, out)) {
    return true;
  }
  out.resize(begin);
  return false;
}

// A lone value where a list is wanted.
bool Fitter::in_list(const Value& value, const Value& schema, std::string& out) {
  const std::size_t begin = out.size();
  out += '[';
  if (!fit(value, schema["items"], out)) {
    out.resize(begin);
    return false;
  }
  out += ']';
  return true;
}

// A list of one where a lone value is wanted.
bool Fitter::out_of_list(const Value& value, const Value& schema, std::string& out) {
  if (value.size() != 1 || value.first().is_array() || value.first().is_null()) return false;
  return fit(value.first(), schema, out);
}

bool Fitter::fit_any(const Value& value, const Value& alternatives, std::string& out) {
  const bool before = repaired_;
  std::string mended;
  for (Value schema = alternatives.first(); schema; schema = schema.next()) {
    std::string written;
    repaired_ = false;
    if (!fit(value, schema, written)) continue;
    if (!repaired_) {
      repaired_ = before;
      out += written;
      return true;
    }
    if (mended.empty()) mended = std::move(written);
  }
  repaired_ = before || !mended.empty();
  if (mended.empty()) return refuse("fits none of the ways that its schema allows");
  out += mended;
  return true;
}

bool Fitter::fit_array(const Value& value, const Value& schema, std::string& out) {
  out += '[';
  std::size_t at = 0;
  for (Value element = value.first(); element; element = element.next()) {
    if (at > 0) out += ',';
    path_.push_back(fmt::format("[{}]", at++));
    const bool fits = fit(element, schema["items"], out);
    path_.pop_back();
    if (!fits) return false;
  }
  out += ']';
  return true;
}

bool is_listed(const Value& names, std::string_view name) {
  for (Value each = names.first(); each; each = each.next()) {
    if (each.equals(name)) return true;
  }
  return false;
}

// The declared name that `name` must be, if it is not itself one and the value does not state the
// declared one too.
std::optional<std::string> meant(const Value& value, const Value& properties,
                                 std::string_view name) {
  if (properties[name]) return std::nullopt;
  std::optional<std::string> found;
  for (Value property = properties.first(); property; property = property.next()) {
    const std::string declared = property.key().utf8();
    const Value stated = value[declared];
    if (!same_name_loosely(declared, name) || (stated && !stated.is_null())) continue;
    if (found) return std::nullopt;
    found = declared;
  }
  return found;
}

bool Fitter::fit_object(const Value& value, const Value& schema, std::string& out) {
  if (value.size() > kMembersMax) {
    out += value.raw();
    return true;
  }
  const Value properties = schema["properties"];
  std::vector<std::string> written;
  out += '{';
  for (Value member = value.first(); member; member = member.next()) {
    std::string name = member.key().utf8();
    // Of a repeated name the last one counts, here as with every reader.
    if (value[name].offset() != member.offset()) {
      repaired_ = true;
      continue;
    }
    if (auto other = meant(value, properties, name)) {
      if (std::ranges::find(written, *other) != written.end()) {
        return refuse_member(name, "is stated twice");
      }
      name = std::move(*other);
      repaired_ = true;
    }
    const Value property = properties[name];
    const bool optional = property && !is_listed(schema["required"], name);
    const bool refers = property["$ref"].is_string();
    const Value declared = refers ? resolve(property["$ref"]) : property;
    if (optional && member.is_null() && !schema::takes_null(declared)) {
      repaired_ = true;
      continue;
    }
    if (std::ranges::find(written, name) != written.end()) {
      return refuse_member(name, "is stated twice");
    }
    if (!written.empty()) out += ',';
    out.append("\"").append(chat::escape(name)).append("\":");
    path_.push_back(name);
    const bool fits = property ? fit(member, property, out) : fit_member(member, schema, out);
    path_.pop_back();
    if (!fits) return false;
    written.push_back(std::move(name));
  }
  for (Value name = schema["required"].first(); name; name = name.next()) {
    if (!name.is_string()) continue;
    const std::string wanted = name.text().utf8();
    if (std::ranges::find(written, wanted) != written.end()) continue;
    return refuse_member(wanted, "is missing");
  }
  out += '}';
  return true;
}

// A member that no property declares.
bool Fitter::fit_member(const Value& member, const Value& schema, std::string& out) {
  const Value others = schema["additionalProperties"];
  if (others.is_bool() && !others.boolean().value_or(true)) {
    if (schema["patternProperties"].is_object()) {
      out += member.raw();
      return true;
    }
    return refuse("is no argument of this tool");
  }
  return fit(member, others, out);
}

}  // namespace

bool same_name_loosely(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const std::string plain = loose(left);
  return !plain.empty() && plain == loose(right);
}

Result<FittedArguments> fit_arguments(chat::JsonRaw schema, std::string_view arguments) {
  FittedArguments made;
  made.json = arguments;
  if (arguments.find_first_not_of(" \t\r\n") == std::string_view::npos) made.json = "{}";
  Document stated;
  if (!stated.parse(made.json)) return fail(ErrorCode::protocol, "the arguments are no JSON");
  Document inner;
  std::string text;
  Value value = stated.root();
  if (value.is_string()) {
    text = value.text().utf8();
    made.fit = Fit::repaired;
    if (inner.parse(text)) value = inner.root();
  }
  if (!value.is_object()) return fail(ErrorCode::protocol, "the arguments are no object");
  Document declared;
  const bool has_schema = !schema.empty() && declared.parse(schema.json).has_value();
  const Value root = has_schema ? declared.root() : Value();
  Fitter fitter(root);
  std::string written;
  if (!fitter.fit(value, root, written)) return fail(ErrorCode::protocol, fitter.misfit());
  if (fitter.repaired()) made.fit = Fit::repaired;
  if (made.fit == Fit::repaired) made.json = std::move(written);
  return made;
}

}  // namespace nl::dialect
