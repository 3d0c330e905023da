// DocumentPool: parsed-body memory, reused from request to request of one loop.
//
// A Document keeps the buffers of its largest parse; borrowing one instead of making one saves the
// kernel hundreds of pages per large request. At most kKeptMax rest here. One loop.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "dialect/json.h"

namespace nl::gateway {

class DocumentPool {
 public:
  static constexpr std::size_t kKeptMax = 16;

  // A Document on loan; goes back when this dies. The pool outlives it.
  class Loan {
   public:
    Loan(DocumentPool& pool, std::unique_ptr<dialect::Document> document)
        : pool_(pool), document_(std::move(document)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.take_back(std::move(document_)); }

    dialect::Document& operator*() const { return *document_; }
    dialect::Document* operator->() const { return document_.get(); }

   private:
    DocumentPool& pool_;
    std::unique_ptr<dialect::Document> document_;
  };

  Loan lend() {
    if (kept_.empty()) return Loan(*this, std::make_unique<dialect::Document>());
    std::unique_ptr<dialect::Document> document = std::move(kept_.back());
    kept_.pop_back();
    return Loan(*this, std::move(document));
  }

 private:
  void take_back(std::unique_ptr<dialect::Document> document) {
    document->clear();
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(document));
  }

  std::vector<std::unique_ptr<dialect::Document>> kept_;
};

}  // namespace nl::gateway
