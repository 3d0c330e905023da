#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/model_splice.h"
#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

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
  return splice_model(document.root(), options);
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
