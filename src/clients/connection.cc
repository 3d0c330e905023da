#include "clients/connection.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::clients {
namespace {

std::unexpected<Error> in_file(const std::string& path, const Error& error) {
  return fail(error.code, fmt::format("{}: {}", path, error.message));
}

// The file as it would be without us, from what the record says of it.
struct Bare {
  std::string text;
  bool existed = false;
  bool forced = false;
  std::vector<std::string> folders;
  std::string backup;
};

Result<Bare> without_us(const KeptFile& file, const std::optional<Record>& record,
                        const std::string& path) {
  Bare bare{file.text(), file.exists(), false, {}, ""};
  if (!record) return bare;
  for (const FileRecord& known : record->files) {
    if (known.path != path) continue;
    auto undone = undo(known.format, file.text(), known.changes);
    if (!undone) return in_file(path, undone.error());
    bare.text = std::move(undone->text);
    bare.existed = known.existed || !bare.text.empty();
    bare.forced = known.forced;
    bare.folders = known.folders;
    bare.backup = known.backup;
  }
  return bare;
}

Result<FilePlan> plan_file(const Aim& aim, const std::optional<Record>& record) {
  auto file = KeptFile::look(aim.path);
  if (!file) return std::unexpected(std::move(file.error()));
  auto bare = without_us(*file, record, aim.path);
  if (!bare) return std::unexpected(std::move(bare.error()));
  auto edited = apply(aim.format, bare->text, aim.settings);
  if (!edited) return in_file(aim.path, edited.error());
  const auto undone = undo(aim.format, edited->text, edited->changes);
  if (!undone || undone->text != bare->text || !undone->left.empty()) {
    return fail(ErrorCode::internal,
                fmt::format("{}: the change could not be taken back exactly, so it is not made; "
                            "set it by hand",
                            aim.path));
  }
  FileRecord kept{aim.path,     file->target(), aim.format,   bare->existed,
                  bare->forced, bare->folders,  bare->backup, std::move(edited->changes)};
  FilePlan plan{std::move(*file), std::move(edited->text), std::move(bare->text), false, false, {},
                std::move(kept)};
  return plan;
}

// Without a change of ours there is nothing to record.
void drop_untouched(Plan& plan) {
  std::erase_if(plan.files, [](const FilePlan& file) { return file.record.changes.empty(); });
  for (const FilePlan& file : plan.files) plan.record.files.push_back(file.record);
}

bool is_as_before(const FileRecord& record, const std::string& text) {
  if (record.backup.empty()) return !record.existed && text.empty();
  const auto copy = KeptFile::look(record.backup);
  return copy && copy->exists() && copy->text() == text;
}

}  // namespace

bool Plan::changes() const {
  return std::ranges::any_of(files, [](const FilePlan& file) { return file.changes(); });
}

Result<Plan> plan_connect(const Client& client, const Wanted& wanted, const Variables& variables,
                          const RecordFolder& records) {
  auto record = records.find(std::string(client.name));
  if (!record) return std::unexpected(std::move(record.error()));
  const auto all = aims(client, wanted, variables);
  if (!all) return std::unexpected(all.error());
  Plan plan{{std::string(client.name), wanted.url, {}}, {}};
  if (*record) {
    for (const FileRecord& known : (*record)->files) {
      const bool again =
          std::ranges::any_of(*all, [&](const Aim& aim) { return aim.path == known.path; });
      if (!again) {
        return fail(ErrorCode::config,
                    fmt::format("{} is connected in {}; run `nightlight disconnect {}` first",
                                client.title, known.path, client.name));
      }
    }
  }
  for (const Aim& aim : *all) {
    auto file = plan_file(aim, *record);
    if (!file) return std::unexpected(std::move(file.error()));
    plan.files.push_back(std::move(*file));
  }
  drop_untouched(plan);
  return plan;
}

Result<Plan> plan_disconnect(const Client& client, const RecordFolder& records) {
  auto record = records.find(std::string(client.name));
  if (!record) return std::unexpected(std::move(record.error()));
  if (!*record) return fail(ErrorCode::not_found, fmt::format("{} is not connected", client.title));
  Plan plan{std::move(**record), {}};
  for (const FileRecord& known : plan.record.files) {
    auto file = KeptFile::look(known.path);
    if (!file) return std::unexpected(std::move(file.error()));
    if (!file->exists()) {
      plan.files.push_back({std::move(*file), "", "", true, !known.existed, {}, known});
      if (known.existed) plan.files.back().left.push_back("it is gone and is not put back");
      continue;
    }
    auto undone = undo(known.format, file->text(), known.changes);
    if (!undone) return in_file(known.path, undone.error());
    FilePlan made{std::move(*file), std::move(undone->text), "", false, false, {}, known};
    made.left = std::move(undone->left);
    made.vanish = !known.existed && made.text.empty();
    made.as_before = is_as_before(known, made.text);
    plan.files.push_back(std::move(made));
  }
  return plan;
}

Result<void> carry_out_connect(Plan& plan, const RecordFolder& records, ReadOnly rule) {
  for (std::size_t i = 0; i < plan.files.size(); ++i) {
    const FilePlan& file = plan.files[i];
    const bool was_forced = file.record.forced;
    const ReadOnly for_this = was_forced ? ReadOnly::override : rule;
    if (auto allowed = file.file.check(for_this); !allowed) return allowed;
    plan.record.files[i].forced = file.file.is_read_only();
    if (!file.record.existed || !file.record.backup.empty()) continue;
    auto copy = records.back_up(plan.record.client, file.record.path, file.without);
    if (!copy) return std::unexpected(std::move(copy.error()));
    plan.record.files[i].backup = std::move(*copy);
  }
  if (auto kept = records.keep(plan.record); !kept) return kept;
  bool made_folders = false;
  for (std::size_t i = 0; i < plan.files.size(); ++i) {
    if (!plan.files[i].changes()) continue;
    auto folders = plan.files[i].file.replace(plan.files[i].text);
    if (!folders) return std::unexpected(std::move(folders.error()));
    if (folders->empty()) continue;
    plan.record.files[i].folders = std::move(*folders);
    made_folders = true;
  }
  return made_folders ? records.keep(plan.record) : Result<void>();
}

Result<void> carry_out_disconnect(const Plan& plan, const RecordFolder& records, ReadOnly rule) {
  RecordFolder::Copies copies = RecordFolder::Copies::remove;
  for (const FilePlan& file : plan.files) {
    if (!file.left.empty()) copies = RecordFolder::Copies::stay;
    if (!file.file.exists()) continue;
    const ReadOnly for_this = file.record.forced ? ReadOnly::override : rule;
    if (!file.vanish && !file.changes()) continue;
    if (auto allowed = file.file.check(for_this); !allowed) return allowed;
  }
  for (const FilePlan& file : plan.files) {
    if (file.vanish) {
      if (auto gone = file.file.remove(file.record.folders); !gone) return gone;
    } else if (file.changes()) {
      if (auto put = file.file.replace(file.text); !put) return std::unexpected(put.error());
    }
  }
  return records.forget(plan.record, copies);
}

State state_of(const Client& client, const RecordFolder& records) {
  const auto plan = plan_disconnect(client, records);
  if (!plan) {
    if (plan.error().code == ErrorCode::not_found) return {};
    return {Standing::changed, "", plan.error().message};
  }
  State state{Standing::connected, plan->record.url, ""};
  for (const FilePlan& file : plan->files) {
    if (!file.left.empty()) return {Standing::changed, state.url, file.left.front()};
    if (!file.file.exists() || file.text == file.file.text()) {
      return {Standing::changed, state.url, file.record.path + " no longer has it"};
    }
  }
  return state;
}

}  // namespace nl::clients
