#include "app/task_lines.h"

#include <algorithm>
#include <fstream>

#include "dialect/json.h"
#include "work/task_store.h"

namespace nl::app {
namespace {

using dialect::Value;

constexpr std::size_t kFileBytesMax = 4U << 20U;
constexpr std::size_t kTasksMax = 200;

}  // namespace

std::vector<sheet::TaskLine> task_lines(std::string_view readiness_json) {
  std::vector<sheet::TaskLine> lines;
  dialect::Document document;
  if (!document.parse(readiness_json)) return lines;
  for (Value one = document.root()["readiness"].first(); one; one = one.next()) {
    if (lines.size() == kTasksMax) break;
    const auto text = [one](std::string_view name) { return one[name].text().utf8(); };
    sheet::TaskLine line{text("task"), text("words"), text("model"), text("date")};
    if (!line.name.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<sheet::TaskLine> read_task_lines(const std::string& state_folder) {
  std::ifstream file(state_folder + "/tasks/readiness.json", std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const bool usable = !text.empty() && text.size() <= kFileBytesMax;
  std::vector<sheet::TaskLine> lines = usable ? task_lines(text) : std::vector<sheet::TaskLine>();
  const auto tasks = work::TaskStore(state_folder + "/tasks").tasks();
  if (!tasks) return lines;
  for (const work::Task& task : *tasks) {
    const bool judged = std::ranges::any_of(
        lines, [&](const sheet::TaskLine& line) { return line.name == task.name; });
    if (!judged) lines.push_back({task.name, "not judged yet: nightlight tasks run", "", ""});
  }
  return lines;
}

}  // namespace nl::app
