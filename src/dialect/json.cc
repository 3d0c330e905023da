#include "dialect/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <forward_list>
#include <string>
#include <vector>

#include "dialect/json_escapes.h"
#include "dialect/json_fault.h"
#include "dialect/json_number.h"
#include "dialect/json_scan.h"
#include "dialect/json_walk.h"

namespace nl::dialect {

namespace {

// Working memory of one parse, of no use behind it: one per thread serves all Documents.
JsonScan& thread_scan() {
  thread_local JsonScan scan;
  return scan;
}

constexpr std::size_t kSpareMax = 16;
// So many names are sooner compared with each other than sorted.
constexpr std::size_t kFewNames = 16;

}  // namespace

struct Document::Impl {
  JsonEscapes escapes;
  // Not a vector: entries must not be cleared before they are written.
  std::unique_ptr<JsonNode[]> tape;
  std::size_t tape_size = 0;

  void reserve(std::size_t nodes) {
    if (nodes <= tape_size) return;
    tape.reset();
    tape_size = std::max(nodes, std::size_t{32}) * 5 / 4;
    tape = std::make_unique_for_overwrite<JsonNode[]>(tape_size);
  }

  void trim() {
    escapes.trim();
    if (tape_size * sizeof(JsonNode) <= kJsonKeptBytesMax) return;
    tape.reset();
    tape_size = 0;
  }

  // Memory of Documents that hold nothing, for the next ones of this thread.
  static std::vector<std::unique_ptr<Impl>>& spare() {
    thread_local std::vector<std::unique_ptr<Impl>> kept;
    return kept;
  }
  static std::unique_ptr<Impl> take() {
    auto& kept = spare();
    if (kept.empty()) return std::make_unique<Impl>();
    std::unique_ptr<Impl> impl = std::move(kept.back());
    kept.pop_back();
    return impl;
  }
  static void give_back(std::unique_ptr<Impl> impl) {
    if (spare().size() >= kSpareMax) return;
    impl->trim();
    spare().push_back(std::move(impl));
  }

  std::optional<JsonFault> build(std::string_view text) {
    JsonScan& scan = thread_scan();
    if (const auto fault = scan.run(text)) return fault;
    const auto tokens = scan.tokens();
    if (tokens.size() > kJsonTokensMax) return JsonFault{"too many values", tokens[kJsonTokensMax]};
    reserve(tokens.size() + 2);
    if (const auto fault = walk_json(text, tokens, tape.get())) return fault;
    return escapes.run(text);
  }

  // Whether the names of the top-level object differ as they stand and none has an escape: what
  // nearly every request needs to be told, without sorting them.
  bool plainly_distinct(std::string_view text) const {
    std::array<std::string_view, kFewNames> names;
    std::size_t count = 0;
    for (std::uint32_t i = 1; tape[i].role() == JsonNode::Role::name; i = tape[i + 1].after) {
      if (escapes.any(tape[i].begin, tape[i].stop)) return false;
      const std::string_view name = text.substr(tape[i].begin, tape[i].stop - tape[i].begin);
      for (std::size_t earlier = 0; earlier < count; ++earlier) {
        if (names[earlier] == name) return false;
      }
      names[count++] = name;
    }
    return true;
  }

  // The second of two members of the top-level object that have one name.
  std::optional<JsonFault> duplicate(std::string_view text) const {
    struct Name {
      std::string_view utf8;
      std::uint32_t at;
    };
    const JsonNode& root = tape[0];
    if (root.kind() != JsonKind::object || root.count() < 2) return std::nullopt;
    if (root.count() <= kFewNames && plainly_distinct(text)) return std::nullopt;
    std::vector<Name> names;
    names.reserve(root.count());
    std::forward_list<std::string> unescaped;
    for (std::uint32_t i = 1; tape[i].role() == JsonNode::Role::name; i = tape[i + 1].after) {
      std::string_view inside = text.substr(tape[i].begin + 1, tape[i].stop - tape[i].begin - 2);
      if (escapes.any(tape[i].begin, tape[i].stop)) {
        inside = unescaped.emplace_front(chat::JsonText{inside}.utf8());
      }
      names.push_back({inside, tape[i].begin});
    }
    std::ranges::sort(names, [](const Name& a, const Name& b) {
      return a.utf8.size() != b.utf8.size() ? a.utf8.size() < b.utf8.size() : a.utf8 < b.utf8;
    });
    const auto twice = std::ranges::adjacent_find(
        names, [](const Name& a, const Name& b) { return a.utf8 == b.utf8; });
    if (twice == names.end()) return std::nullopt;
    return JsonFault{"duplicate name at the top level", std::max(twice->at, (twice + 1)->at)};
  }
};

Document::Document() = default;
Document::~Document() {
  clear();
}

void Document::clear() {
  text_ = {};
  tape_ = nullptr;
  if (impl_) Impl::give_back(std::move(impl_));
}

Result<void> Document::parse(std::string_view text, DuplicateKeys duplicates) {
  clear();
  if (text.size() > kJsonBytesMax) {
    return fail(ErrorCode::too_large, "JSON text is too large", 413);
  }
  impl_ = Impl::take();
  auto fault = impl_->build(text);
  if (!fault && duplicates == DuplicateKeys::refuse_top_level) fault = impl_->duplicate(text);
  // Only the tape and the map of escapes are read from here on.
  thread_scan().trim();
  if (fault) {
    clear();
    return fail(ErrorCode::bad_request,
                fmt::format("invalid JSON at byte {}: {}", fault->at, fault->what), 400);
  }
  text_ = text;
  tape_ = impl_->tape.get();
  return {};
}

bool Value::escaped(const JsonNode& token) const {
  return document_->impl_->escapes.any(token.begin, token.stop);
}

// An escape is longer than what it stands for: equal lengths leave no room for one.
bool Value::token_equals(const JsonNode& token, std::string_view utf8) const {
  const std::string_view inside =
      document_->text_.substr(token.begin + 1, token.stop - token.begin - 2);
  if (inside.size() == utf8.size()) return inside == utf8 && !escaped(token);
  return inside.size() > utf8.size() && escaped(token) && chat::JsonText{inside}.utf8() == utf8;
}

bool Value::equals(std::string_view utf8) const {
  return is_string() && token_equals(node(), utf8);
}

std::optional<std::int64_t> Value::integer() const {
  return is_number() ? json_integer(raw()) : std::nullopt;
}

std::optional<double> Value::number() const {
  return is_number() ? json_double(raw()) : std::nullopt;
}

std::optional<bool> Value::boolean() const {
  return is_bool() ? std::optional(raw() == "true") : std::nullopt;
}

Value Value::operator[](std::string_view name) const {
  if (!is_object()) return {};
  const JsonNode* const tape = document_->tape_;
  const char* const text = document_->text_.data();
  const char first = name.empty() ? '"' : name.front();
  std::uint32_t found = 0;  // the root is no member
  for (std::uint32_t i = node_ + 1; tape[i].role() == JsonNode::Role::name; i = tape[i + 1].after) {
    // Nearly every comparison ends here: it begins with another byte, or is too short, which no
    // name is for what it stands for.
    const char start = text[tape[i].begin + 1];
    if (start != first && start != '\\') continue;
    if (tape[i].stop - tape[i].begin - 2 < name.size()) continue;
    if (token_equals(tape[i], name)) found = i + 1;
  }
  return found == 0 ? Value() : Value(document_, found);
}

const JsonNode* Value::name_node() const {
  if (!exists() || node_ == 0) return nullptr;
  const JsonNode* before = &node() - 1;
  return before->role() == JsonNode::Role::name ? before : nullptr;
}

chat::JsonText Value::key() const {
  const JsonNode* name = name_node();
  if (name == nullptr) return {};
  return {document_->text_.substr(name->begin + 1, name->stop - name->begin - 2)};
}

bool Value::key_is(std::string_view utf8) const {
  const JsonNode* name = name_node();
  return name != nullptr && token_equals(*name, utf8);
}

}  // namespace nl::dialect
