#include "work/task_example.h"

#include <filesystem>
#include <string>

#include "documents/document.h"

namespace nl::work {
namespace {

constexpr std::size_t kTitleBytes = 48;

// The beginning of a text's first line, not cut inside a character.
std::string title_of(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (line.size() <= kTitleBytes) return line;
  std::size_t end = kTitleBytes;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
  return line.substr(0, end) + " ...";
}

}  // namespace

Result<ExampleInput> example_input(const TaskStore& store, const Task& task,
                                   const TaskExample& example) {
  if (example.file.empty()) return ExampleInput{title_of(example.text), example.text, {}};
  auto document = documents::read_document(std::filesystem::path(store.example_path(task, example)),
                                           documents::ReadLimits());
  if (!document) return std::unexpected(document.error());
  const std::string name = std::filesystem::path(example.file).filename().string();
  ExampleInput input{name, "", std::move(document->images)};
  input.text = "File " + name + ":\n\n" + document->text;
  for (const std::string& note : document->notes) input.text += "\n[" + note + "]";
  return input;
}

}  // namespace nl::work
