// CancelScope: what a Cancel ends while the scope lives. A newer scope on the same Cancel
// replaces an older one, so that a next attempt may begin before the last one's remains are gone.
// Loop thread.
#pragma once

#include "http/client.h"

namespace nl::http {

class CancelScope {
 public:
  // `action(subject)` runs at most once, inside fire(). Both must outlive the scope.
  CancelScope(Cancel& cancel, void (*action)(void*), void* subject)
      : cancel_(cancel), subject_(subject) {
    cancel_.action_ = action;
    cancel_.subject_ = subject;
  }
  ~CancelScope() {
    if (cancel_.subject_ != subject_) return;
    cancel_.action_ = nullptr;
    cancel_.subject_ = nullptr;
  }
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  Cancel& cancel_;
  void* subject_;
};

}  // namespace nl::http
