#include "work/task.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "http/digest.h"

namespace nl::work {
namespace {

constexpr std::size_t kNameMax = 40;
constexpr std::size_t kMarkDigits = 16;

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCode::config, std::move(what));
}

// A file's name must stay inside the task's own folder.
bool is_inner_path(std::string_view path) {
  return path.starts_with("inputs/") && path.size() > 7 &&
         path.find("..") == std::string_view::npos && path.find('\0') == std::string_view::npos &&
         path.find('/', 7) == std::string_view::npos;
}

Result<std::vector<TaskExample>> parse_examples(dialect::Value list) {
  if (!list.is_array() || list.size() == 0) return wrong("\"examples\" has none");
  if (list.size() > kTaskExamplesMax) {
    return wrong(fmt::format("\"examples\" has more than {}", kTaskExamplesMax));
  }
  std::vector<TaskExample> examples;
  for (dialect::Value item = list.first(); item; item = item.next()) {
    TaskExample example{item["text"].text().utf8(), item["file"].text().utf8()};
    if (example.text.empty() == example.file.empty()) {
      return wrong("an example has either \"text\" or \"file\"");
    }
    if (!example.file.empty() && !is_inner_path(example.file)) {
      return wrong(fmt::format("\"{}\" is no file below inputs/", example.file));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace

bool is_task_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_name_letter);
}

std::string task_json(const Task& task) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object()
      .string("name", task.name)
      .string("prompt", task.prompt)
      .string("system", task.system)
      .string("label", task.label)
      .string("model", task.model)
      .string("cloud", task.cloud)
      .string("recipe", task.recipe)
      .integer("max_tokens", task.max_tokens);
  json.key("examples").begin_array();
  for (const TaskExample& example : task.examples) {
    json.begin_object();
    if (example.file.empty()) {
      json.string("text", example.text);
    } else {
      json.string("file", example.file);
    }
    json.end_object();
  }
  json.end_array().end_object();
  return indented(text);
}

Result<Task> parse_task(std::string_view json) {
  dialect::Document document;
  if (const auto read = document.parse(json); !read) return wrong(read.error().message);
  const dialect::Value root = document.root();
  Task task;
  task.name = root["name"].text().utf8();
  task.prompt = root["prompt"].text().utf8();
  task.system = root["system"].text().utf8();
  task.label = root["label"].text().utf8();
  task.model = root["model"].text().utf8();
  task.cloud = root["cloud"].text().utf8();
  task.recipe = root["recipe"].text().utf8();
  task.max_tokens = root["max_tokens"].integer().value_or(0);
  if (!is_task_name(task.name)) return wrong("\"name\" is none: use a-z, 0-9 and -");
  if (task.prompt.empty()) return wrong("\"prompt\" is missing");
  if (task.prompt.size() + task.system.size() > kTaskPromptBytesMax) {
    return wrong("the prompt is longer than 256 KiB");
  }
  if (task.max_tokens < 0) return wrong("\"max_tokens\" is below 0");
  auto examples = parse_examples(root["examples"]);
  if (!examples) return std::unexpected(examples.error());
  task.examples = std::move(*examples);
  return task;
}

std::string asked_of(const Task& task, std::string_view input) {
  const std::size_t place = task.prompt.find(kInputPlace);
  if (place == std::string::npos) return fmt::format("{}\n\n{}", task.prompt, input);
  return fmt::format("{}{}{}", std::string_view(task.prompt).substr(0, place), input,
                     std::string_view(task.prompt).substr(place + kInputPlace.size()));
}

std::string task_mark(const Task& task) {
  std::string all;
  const auto add = [&](std::string_view part) {
    all += fmt::format("{}:", part.size());
    all += part;
  };
  add(task.prompt);
  add(task.system);
  for (const TaskExample& example : task.examples) {
    add(example.text);
    add(example.file);
  }
  return http::sha256_hex(all).substr(0, kMarkDigits);
}

std::string indented(std::string_view json) {
  std::string text;
  std::size_t depth = 0;
  bool inside = false;  // a string
  const auto line = [&]() {
    text += '\n';
    text.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (inside) {
      text += c;
      if (c == '\\' && i + 1 < json.size()) text += json[++i];
      inside = c != '"';
      continue;
    }
    if ((c == '{' || c == '[') && i + 1 < json.size() &&
        (json[i + 1] == '}' || json[i + 1] == ']')) {
      text += c;
      text += json[++i];
      continue;
    }
    inside = c == '"';
    const bool closes = c == '}' || c == ']';
    if (closes && depth > 0) --depth;
    if (closes) line();
    text += c;
    if (c == '{' || c == '[') ++depth;
    if (c == '{' || c == '[' || c == ',') line();
    if (c == ':') text += ' ';
  }
  return text + "\n";
}

}  // namespace nl::work
