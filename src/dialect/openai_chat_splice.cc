#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/json_writer.h"
#include "dialect/openai_chat.h"

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

// Walks the members of one JSON object without a Document: a chunk is renamed for every few words
// of an answer, and the reader has checked it already. Any bytes are safe to walk.
class ChunkRenamer {
 public:
  ChunkRenamer(std::string_view data, const Renaming& names) : data_(data), names_(names) {}

  // `data` with the names of the top level replaced.
  std::string run() {
    while (at_ < data_.size()) {
      const char byte = data_[at_];
      if (byte == '"') {
        string();
        continue;
      }
      if (byte == '{' || byte == '[') ++depth_;
      if (byte == '}' || byte == ']') --depth_;
      if (byte == '{' || byte == ',') is_name_ = true;
      if (byte == ':') is_name_ = false;
      ++at_;
    }
    out_.append(data_.substr(copied_));
    return std::move(out_);
  }

 private:
  void string() {
    const std::size_t begin = at_++;
    while (at_ < data_.size() && data_[at_] != '"') at_ += data_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, data_.size());
    const std::string_view token = data_.substr(begin, at_ - begin);
    if (depth_ != 1) return;
    if (is_name_) {
      name_ = token;
      return;
    }
    const std::string* renamed = nullptr;
    if (name_ == "\"id\"") renamed = &names_.id;
    if (name_ == "\"model\"") renamed = &names_.model;
    if (renamed == nullptr || renamed->empty()) return;
    out_.append(data_.substr(copied_, begin - copied_)).append("\"");
    chat::append_escaped(out_, *renamed);
    out_ += '"';
    copied_ = at_;
  }

  std::string_view data_;
  const Renaming& names_;
  std::string out_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  int depth_ = 0;
  bool is_name_ = false;
};

}  // namespace

std::string OpenAiChat::splice(const Document& document, const SpliceOptions& options) const {
  const Value root = document.root();
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

void OpenAiChat::append_renamed(const SseFrame& frame, const Renaming& names,
                                std::string& out) const {
  if (names.empty() || frame.kind != FrameKind::event || !frame.data.starts_with('{')) {
    out.append(frame.raw);
    return;
  }
  std::string data = ChunkRenamer(frame.data, names).run();
  const std::size_t at = frame.raw.find(frame.data);
  if (at != std::string_view::npos) {
    out.append(frame.raw.substr(0, at)).append(data);
    out.append(frame.raw.substr(at + frame.data.size()));
    return;
  }
  // Several data lines were joined: a line end is only white space to JSON.
  std::ranges::replace(data, '\n', ' ');
  out.append("data: ").append(data).append("\n\n");
}

// The first chunk carries the role alone, which clients take twice without harm.
bool OpenAiChat::opens_answer(const SseFrame&) const {
  return false;
}

}  // namespace nl::dialect
