#include "work/task_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/whole_file.h"

namespace nl::work {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTaskBytesMax = 8U << 20;
constexpr std::size_t kRunBytesMax = 256U << 20;
constexpr std::size_t kFileNameMax = 60;

// A name without surprises for a copy: its folder and whatever is not plain ASCII go.
std::string safe_name(const std::string& path) {
  std::string safe;
  for (const char c : fs::path(path).filename().string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !safe.ends_with('.'));
    safe += plain ? c : '-';
  }
  // The ending says what it is, so the front is what is cut.
  if (safe.size() > kFileNameMax) safe.erase(0, safe.size() - kFileNameMax);
  return safe;
}

// Names of the folders below `folder` that hold the file `inner`.
std::vector<std::string> folders_with(const std::string& folder, const std::string& inner) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (fs::exists(it->path() / inner, error)) names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Error of_file(const std::string& path, const Error& error) {
  return Error(error.code, path + ": " + error.message);
}

}  // namespace

Result<std::vector<Task>> TaskStore::tasks() const {
  std::vector<Task> all;
  for (const std::string& task_name : folders_with(folder_, "task.json")) {
    auto one = task(task_name);
    if (!one) return std::unexpected(one.error());
    all.push_back(std::move(*one));
  }
  return all;
}

Result<Task> TaskStore::task(std::string_view task_name) const {
  const std::string path = fmt::format("{}/{}/task.json", folder_, task_name);
  const auto text = is_task_name(task_name) ? read_whole_file(path, kTaskBytesMax)
                                            : fail(ErrorCode::not_found, "");
  if (!text && text.error().code == ErrorCode::not_found) {
    std::string there;
    for (const std::string& known : folders_with(folder_, "task.json")) {
      there += there.empty() ? known : ", " + known;
    }
    return fail(ErrorCode::not_found,
                there.empty()
                    ? fmt::format("no task is called \"{}\": there is none yet", task_name)
                    : fmt::format("no task is called \"{}\": there are {}", task_name, there));
  }
  if (!text) return std::unexpected(text.error());
  auto read = parse_task(*text);
  if (!read) return std::unexpected(of_file(path, read.error()));
  if (read->name != task_name) {
    return fail(ErrorCode::config, fmt::format("{}: \"name\" is not \"{}\"", path, task_name));
  }
  return read;
}

Result<void> TaskStore::add(Task task, const std::vector<std::string>& files) const {
  const std::string folder = folder_ + "/" + task.name;
  std::error_code error;
  if (!is_task_name(task.name) || task.name == "runs") {
    return fail(ErrorCode::config, fmt::format("\"{}\" is no name for a task: use up to 40 of a-z, "
                                               "0-9 and -",
                                               task.name));
  }
  const auto there = folders_with(folder_, "task.json");
  if (std::find(there.begin(), there.end(), task.name) != there.end()) {
    return fail(ErrorCode::config,
                fmt::format("a task \"{0}\" is there already: `nightlight tasks rm {0}` removes it",
                            task.name));
  }
  if (there.size() >= kTasksMax) {
    return fail(ErrorCode::config, fmt::format("there are {} tasks already", kTasksMax));
  }
  std::vector<std::string> copies;
  for (const std::string& path : files) {
    auto bytes = read_whole_file(path, kExampleBytesMax);
    if (!bytes) return std::unexpected(bytes.error());
    copies.push_back(std::move(*bytes));
    task.examples.push_back(
        {"", fmt::format("inputs/{}-{}", task.examples.size() + 1, safe_name(path))});
  }
  const std::string text = task_json(task);
  // What could not be read back is refused now, not at the next run.
  if (const auto sound = parse_task(text); !sound) return std::unexpected(sound.error());
  const std::size_t texts = task.examples.size() - copies.size();
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const auto kept = write_whole_file(folder + "/" + task.examples[texts + i].file, copies[i]);
    if (!kept) return kept;
  }
  return write_whole_file(folder + "/task.json", text);
}

Result<void> TaskStore::remove(std::string_view task_name) const {
  const std::string folder = fmt::format("{}/{}", folder_, task_name);
  std::error_code error;
  if (!is_task_name(task_name) || !fs::exists(folder + "/task.json", error)) {
    return std::unexpected(task(task_name).error());
  }
  fs::remove_all(folder, error);
  if (error) return fail(ErrorCode::io, folder + ": " + error.message());
  auto known = readiness();
  if (!known) return std::unexpected(known.error());
  const auto gone =
      std::erase_if(*known, [&](const Readiness& one) { return one.task == task_name; });
  return gone == 0 ? Result<void>() : write_whole_file(readiness_path(), readiness_json(*known));
}

std::string TaskStore::example_path(const Task& task, const TaskExample& example) const {
  return folder_ + "/" + task.name + "/" + example.file;
}

Result<void> TaskStore::save(const TaskRun& run) const {
  return write_whole_file(run_folder(run) + "/run.json", run_json(run));
}

Result<TaskRun> TaskStore::run(std::string_view id) const {
  const auto there = folders_with(folder_ + "/runs", "run.json");
  if (there.empty()) {
    return fail(ErrorCode::not_found, "nothing has been run yet: `nightlight tasks run` does it");
  }
  const auto wanted = id == "last" ? there.end() - 1 : std::find(there.begin(), there.end(), id);
  if (wanted == there.end()) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no run \"{}\"; the newest is {}", id, there.back()));
  }
  const std::string path = folder_ + "/runs/" + *wanted + "/run.json";
  const auto text = read_whole_file(path, kRunBytesMax);
  if (!text) return std::unexpected(text.error());
  auto run = parse_run(*text);
  if (!run) return std::unexpected(of_file(path, run.error()));
  run->id = *wanted;
  return run;
}

std::string TaskStore::free_run_id(const std::string& id) const {
  std::error_code error;
  std::string free = id;
  for (int i = 2; fs::exists(folder_ + "/runs/" + free, error); ++i) {
    free = fmt::format("{}-{:02}", id, i);
  }
  return free;
}

Result<std::vector<Readiness>> TaskStore::readiness() const {
  return read_readiness(folder_);
}

Result<void> TaskStore::keep(const std::vector<Readiness>& fresh) const {
  if (fresh.empty()) return {};
  auto known = readiness();
  if (!known) return std::unexpected(known.error());
  for (const Readiness& one : fresh) {
    // An old run that is graded today says nothing of what a newer one has shown.
    const bool outdated = std::any_of(known->begin(), known->end(), [&](const Readiness& old) {
      return old.task == one.task && old.target == one.target && old.run > one.run;
    });
    if (outdated) continue;
    std::erase_if(*known, [&](const Readiness& old) {
      return old.task == one.task && old.target == one.target;
    });
    known->push_back(one);
  }
  return write_whole_file(readiness_path(), readiness_json(*known));
}

}  // namespace nl::work
