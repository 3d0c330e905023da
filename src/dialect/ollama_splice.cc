#include <string>
#include <string_view>

#include "dialect/model_splice.h"
#include "dialect/ollama.h"

namespace nl::dialect {

std::string Ollama::splice(const Document& document, const SpliceOptions& options) const {
  return splice_model(document.root(), options);
}

// Answers have a model and no id.
void Ollama::append_renamed(const SseFrame& frame, const Renaming& names, std::string& out) const {
  Document document;
  if (names.model.empty() || !document.parse(frame.data) || !document.root()["model"].is_string()) {
    out.append(frame.raw);
    return;
  }
  SpliceOptions options;
  options.model = names.model;
  out.append(splice_model(document.root(), options)).append("\n");
}

// The first line is like any other, which clients take twice without harm.
bool Ollama::opens_answer(const SseFrame&) const {
  return false;
}

}  // namespace nl::dialect
