#include "engine/catalogue.h"

namespace nl::engine {

GgufFacts facts_of(const CatalogueModel& model, const CatalogueFile& file) {
  GgufFacts facts = model.shape;
  facts.name = model.title;
  facts.file_bytes = facts.tensor_bytes = file.bytes;
  facts.active_bytes = file.active_bytes;
  facts.parameters = model.parameters;
  facts.lookup_bytes = model.lookup_bytes_q4;
  facts.expert_bytes =
      static_cast<std::uint64_t>(model.expert_share * static_cast<double>(file.bytes));
  return facts;
}

}  // namespace nl::engine
