#include "work/research.h"

#include <algorithm>
#include <set>

#include "dialect/json_writer.h"
#include "http/digest.h"
#include "work/note_list.h"
#include "work/part_reader.h"
#include "work/synthesis.h"

namespace nl::work {
namespace {

// So many documents that whoever answers refuses in a row are no longer the documents' fault.
constexpr int kRefusedMax = 3;

std::string digest_of(const documents::Document& document) {
  http::Sha256 sha;
  sha.update(documents::name(document.kind));
  sha.update(document.text);
  for (const documents::Image& image : document.images) sha.update(image.bytes);
  return sha.hex().substr(0, 32);
}

// The message without the file's name in front, which stands beside it.
std::string without_name(const std::string& message, const std::filesystem::path& file) {
  const std::string name = file.string() + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

// The pass over the documents.
class Reading {
 public:
  Reading(Asker& asker, const ResearchSetup& setup, ResearchJournal& journal, ResearchView& view)
      : setup_(setup), view_(view), reader_(asker, setup, journal, result.effort) {}

  Result<void> run() {
    for (const std::filesystem::path& file : setup_.files) {
      if (const auto read = one(file); !read) return read;
      ++done_;
    }
    show("");
    return {};
  }

  ResearchResult result;
  std::vector<ReadDocument> read_documents;  // in order

 private:
  void show(const std::string& document) {
    ResearchProgress now;
    now.documents = setup_.files.size();
    now.done = done_;
    now.claims = reader_.claims();
    now.document = document;
    now.who = reader_.who();
    now.effort = result.effort;
    view_.progress(now);
  }

  Result<void> one(const std::filesystem::path& file) {
    show(file.string());
    const auto document = documents::read_document(file, setup_.limits);
    if (!document) {
      result.unread.push_back({file.string(), without_name(document.error().message, file)});
      return {};
    }
    for (const std::string& note : document->notes) view_.note(document->name + ": " + note);
    const bool picture = document->kind == documents::Kind::image && !document->images.empty();
    if (document->text.find_first_not_of(" \t\r\n\f") == std::string::npos && !picture) {
      result.unread.push_back({document->name, "there is no text in it"});
      return {};
    }
    const std::string digest = digest_of(*document);
    if (!seen_.insert(digest).second) {
      view_.note(document->name + ": the same as another document, read once");
      ++result.documents;
      return {};
    }
    const auto read = reader_.read(*document, digest);
    if (!read && (read.error().code != ErrorCode::bad_request || ++refused_ >= kRefusedMax)) {
      return read;
    }
    if (!read) {
      result.unread.push_back({document->name, read.error().message});
      return {};
    }
    refused_ = 0;
    ++result.documents;
    read_documents.push_back({digest, document->name});
    return {};
  }

  const ResearchSetup& setup_;
  ResearchView& view_;
  PartReader reader_;
  std::set<std::string> seen_;
  std::size_t done_ = 0;
  int refused_ = 0;
};

}  // namespace

std::string research_key(const Recipe& recipe, const std::string& words, const Prompt& base) {
  std::string key;
  dialect::JsonWriter json(key);
  json.begin_object().integer("research", 1).string("question", words);
  json.string("recipe", http::sha256_hex(recipe.system + '\0' + recipe.prompt).substr(0, 16));
  json.string("model", base.model).string("route", base.route).string("task", base.task);
  json.end_object();
  return key;
}

Result<ResearchResult> research(Asker& asker, const ResearchSetup& setup, ResearchJournal& journal,
                                ResearchView& view, const OnText& on_answer) {
  const SystemClock clock;
  const Instant started = clock.now();
  Reading reading(asker, setup, journal, view);
  if (const auto read = reading.run(); !read) return std::unexpected(read.error());
  ResearchResult& result = reading.result;
  Synthesis synthesis(asker, setup, journal, result.effort);
  auto answer = synthesis.answer(reading.read_documents, view, on_answer);
  if (!answer) return std::unexpected(answer.error());
  result.answer = std::move(*answer);
  result.claims = synthesis.notes();
  result.who = synthesis.who();
  result.cut = synthesis.cut();
  const std::vector<std::size_t> numbers = numbers_in(result.answer);
  auto sources = synthesis.sources(numbers);
  if (!sources) return std::unexpected(sources.error());
  result.sources = std::move(*sources);
  std::ranges::sort(result.sources, {}, &Source::number);
  for (const std::size_t number : numbers) {
    if (number == 0 || number > result.claims) result.no_sources.push_back(number);
  }
  result.effort.took = clock.now() - started;
  return std::move(result);
}

}  // namespace nl::work
