#include "dialect/model_splice.h"

#include <cstddef>
#include <string_view>

namespace nl::dialect {
namespace {

// `raw_members` without those that `root` has already: a body never names a member twice, and what
// the client says itself holds.
std::string missing_members(const Value& root, std::string_view raw_members) {
  const std::string object = "{" + std::string(raw_members) + "}";
  Document document;
  if (!document.parse(object)) return {};
  std::string members;
  for (Value member = document.root().first(); member; member = member.next()) {
    if (root[member.key().utf8()]) continue;
    if (!members.empty()) members += ',';
    members.append("\"").append(member.key().escaped).append("\":").append(member.raw());
  }
  return members;
}

}  // namespace

std::string splice_model(const Value& root, const SpliceOptions& options) {
  const Value model = root["model"];
  const std::string_view body = root.raw();
  std::string out;
  out.reserve(body.size() + options.model.size() + options.extra_members.size() + 8);
  if (model) {
    const std::size_t at = model.offset() - root.offset();
    out.append(body.substr(0, at)).append("\"");
    chat::append_escaped(out, options.model);
    out.append("\"").append(body.substr(at + model.raw().size()));
  } else {
    out = body;
  }
  if (options.extra_members.empty() || !root.is_object()) return out;
  const std::string members = missing_members(root, options.extra_members);
  if (members.empty()) return out;
  out.pop_back();
  if (root.size() > 0) out += ',';
  out.append(members).append("}");
  return out;
}

}  // namespace nl::dialect
