// research: the journal's place, the progress line, the answer with its sources.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "app/ask_task.h"
#include "base/whole_file.h"
#include "http/digest.h"
#include "work/progress_line.h"
#include "work/shown.h"

namespace nl::app {
namespace {

std::string journal_path(const AskTask& task, const std::string& key) {
  if (!task.out.empty()) return task.out + "/journal.jsonl";
  return fmt::format("{}/research/{}.jsonl", task.state_dir, http::sha256_hex(key).substr(0, 16));
}

Result<work::ResearchJournal> open_journal(const AskTask& task, const std::string& key) {
  using Start = work::ResearchJournal::Start;
  const Start start = task.fresh ? Start::anew : Start::go_on;
  auto journal = work::ResearchJournal::open(journal_path(task, key), key, start);
  if (!journal && journal.error().code == ErrorCode::config) {
    return fail(ErrorCode::config,
                journal.error().message + "; --fresh begins anew, another --out keeps it");
  }
  return journal;
}

// What an earlier run has made of these documents is none of them: its notes would become their own
// sources.
void drop_what_was_made(const std::string& out, documents::Listing& listing) {
  if (out.empty()) return;
  std::erase_if(listing.files, [&out](const std::filesystem::path& file) {
    for (const char* made : {"/journal.jsonl", "/report.md"}) {
      std::error_code error;
      if (std::filesystem::equivalent(file, out + made, error)) return true;
    }
    return false;
  });
}

// What stands in the folders and is not read: a line for each reason.
void tell_left_out(const documents::Listing& listing) {
  std::map<std::string, std::vector<std::string>> files;
  for (const documents::LeftOut& each : listing.left_out) {
    files[each.why].push_back(each.file.string());
  }
  for (const auto& [why, names] : files) {
    const std::string more = names.size() == 1 ? "" : fmt::format(" and {} more", names.size() - 1);
    fmt::print(stderr, "nightlight: left out: {}{}: {}\n", work::visible(names.front()), more, why);
  }
}

// What is wrong with a whole answer, a line each.
bool tell_troubles(const work::ResearchResult& result) {
  for (const work::Unread& unread : result.unread) {
    fmt::print(stderr, "nightlight: not read: {}: {}\n", work::visible(unread.document),
               work::visible(unread.why));
  }
  for (const std::size_t number : result.no_sources) {
    fmt::print(stderr, "nightlight: the answer names a source [{}] that does not exist\n", number);
  }
  if (result.cut) {
    fmt::print(stderr,
               "nightlight: the answer ends where its limit was reached; --max-tokens raises it\n");
  }
  const bool unproven = result.sources.empty() && !result.answer.empty();
  if (unproven) fmt::print(stderr, "nightlight: the answer names no source: do not rely on it\n");
  return unproven || result.cut || !result.unread.empty() || !result.no_sources.empty();
}

Result<void> write_report(const AskTask& task, const work::ResearchResult& result) {
  if (task.out.empty()) return {};
  const std::string path = task.out + "/report.md";
  const std::string report = work::visible(work::markdown_of(result, task.words));
  if (const auto written = write_whole_file(path, report); !written) return written;
  fmt::print(stderr, "nightlight: the report is in {}\n", path);
  return {};
}

}  // namespace

int ask_research(const AskTask& task, work::Asker& asker) {
  auto listing = files_below(task.files);
  if (!listing) return complain_about(listing.error());
  drop_what_was_made(task.out, *listing);
  tell_left_out(*listing);
  if (listing->files.empty()) {
    return complain_about(
        Error(ErrorCode::bad_request, "there is no document in " + task.files.front()));
  }
  work::Recipe recipe = task.recipe;
  if (task.base.max_tokens > 0) recipe.answer_tokens = task.base.max_tokens;
  const work::ResearchSetup setup{recipe, task.words, listing->files, {}, task.base};
  auto journal = open_journal(task, work::research_key(task.recipe, task.words, task.base));
  if (!journal) return complain_about(journal.error());
  const bool streams = task.form == Form::people;
  const bool terminal = isatty(1) == 1;
  work::ProgressLine progress(stderr,
                              isatty(2) == 1 ? work::Watched::terminal : work::Watched::nobody);
  auto result = work::research(asker, setup, *journal, progress, [&](std::string_view text) {
    if (!streams) return;
    progress.clear();
    const std::string shown = terminal ? work::visible(text) : std::string(text);
    std::fwrite(shown.data(), 1, shown.size(), stdout);  // main() tells of what is not written
    std::fflush(stdout);
  });
  progress.clear();
  if (!result) {
    const int status = complain_about(result.error());
    fmt::print(stderr, "nightlight: what was read is kept: the same command goes on from there\n");
    return status;
  }
  for (const documents::LeftOut& each : listing->left_out) {
    result->left_out.push_back({each.file.string(), each.why});
  }
  if (!streams) {
    fmt::print("{}", work::json_of(*result));
  } else if (result->answer.empty()) {
    fmt::print("None of the {} documents says anything about it.\n", result->documents);
  } else {
    fmt::print("{}{}", result->answer.ends_with('\n') ? "" : "\n",
               work::visible(work::sources_text(*result)));
  }
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", work::visible(work::line_about(*result)));
  if (const auto written = write_report(task, *result); !written) {
    return complain_about(written.error());
  }
  return tell_troubles(*result) ? 1 : 0;
}

}  // namespace nl::app
