// Catalogue: what is known of the sizes of a model family before a file of them is here.
//
// Plain values; app/catalogue reads them from its data file, in which every figure has its source.
// A size is described by the same facts as a file's header, so that one memory rule serves both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/gguf.h"

namespace nl::engine {

struct CatalogueFile {
  std::string quant;  // "QAT Q4_0"
  std::string pull;   // what `nightlight pull` takes; empty = not known where
  std::uint64_t bytes = 0;
  std::uint64_t active_bytes = 0;  // read for every token that is written
  std::string digest;              // 64 digits of its SHA-256; empty = not known
  bool verified = false;
};

struct CatalogueModel {
  std::string id;     // "26b"
  std::string title;  // "Gemma 4 26B-A4B"
  std::uint64_t parameters = 0;
  std::uint64_t active_parameters = 0;
  GgufFacts shape;                    // but for the figures of a file
  std::uint64_t lookup_bytes_q4 = 0;  // of the preferred file
  double expert_share = 0;            // of the weights; 0 = dense
  std::uint64_t projector_bytes = 0;
  std::vector<std::string> inputs;   // "text", "image", "audio", "video"
  std::string tools;                 // for people
  std::string quality;               // for people
  std::vector<CatalogueFile> files;  // the preferred one first
};

struct Catalogue {
  std::vector<CatalogueModel> models;  // the best first
};

// The facts that the header of that file would have.
GgufFacts facts_of(const CatalogueModel& model, const CatalogueFile& file);

}  // namespace nl::engine
