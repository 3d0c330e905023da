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
  ChunkRenamer(std::string_view data, const Renaming& names)
      : data_(data), names_(names), id_met_(names.id.empty()), model_met_(names.model.empty()) {}

  // Appends `data` with the names of the top level replaced. They mostly stand at its beginning:
  // what is behind the last one that is wanted is not walked.
  void append_to(std::string& out) {
    out.reserve(out.size() + data_.size() + names_.id.size() + names_.model.size());
    while (at_ < data_.size() && !(id_met_ && model_met_)) {
      switch (data_[at_]) {
        case '"':
          string(out);
          continue;
        case '{':
          ++depth_;
          is_name_ = true;
          break;
        case '[':
          ++depth_;
          break;
        case '}':
        case ']':
          --depth_;
          break;
        case ',':
          is_name_ = true;
          break;
        case ':':
          is_name_ = false;
          break;
        default:
          break;
      }
      ++at_;
    }
    out.append(data_.substr(copied_));
  }

 private:
  // One past the quote that ends the string which begins at `begin`.
  std::size_t end_of_string(std::size_t begin) const {
    std::size_t quote = data_.find('"', begin + 1);
    while (quote != std::string_view::npos) {
      std::size_t slashes = 0;
      while (data_[quote - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) return quote + 1;
      quote = data_.find('"', quote + 1);
    }
    return data_.size();
  }

  void string(std::string& out) {
    const std::size_t begin = at_;
    at_ = end_of_string(begin);
    if (depth_ != 1) return;
    const std::string_view token = data_.substr(begin, at_ - begin);
    if (is_name_) {
      name_ = token;
      return;
    }
    const std::string* renamed = nullptr;
    if (name_ == "\"id\"") renamed = &names_.id;
    if (name_ == "\"model\"") renamed = &names_.model;
    if (renamed == nullptr || renamed->empty()) return;
    out.append(data_.substr(copied_, begin - copied_)).append("\"");
    chat::append_escaped(out, *renamed);
    out += '"';
    copied_ = at_;
    (renamed == &names_.id ? id_met_ : model_met_) = true;
  }

  std::string_view data_;
  const Renaming& names_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  int depth_ = 0;
  bool is_name_ = false;
  bool id_met_;  // or not wanted
  bool model_met_;
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
  ChunkRenamer renamer(frame.data, names);
  const std::size_t at = frame.raw.find(frame.data);
  if (at != std::string_view::npos) {
    out.append(frame.raw.substr(0, at));
    renamer.append_to(out);
    out.append(frame.raw.substr(at + frame.data.size()));
    return;
  }
  // Several data lines were joined: a line end is only white space to JSON.
  std::string data;
  renamer.append_to(data);
  std::ranges::replace(data, '\n', ' ');
  out.append("data: ").append(data).append("\n\n");
}

// The first chunk carries the role alone, which clients take twice without harm.
bool OpenAiChat::opens_answer(const SseFrame&) const {
  return false;
}

}  // namespace nl::dialect
