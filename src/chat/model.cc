#include "chat/model.h"

namespace nl::chat {

const char* name(ModelClass value) {
  switch (value) {
    case ModelClass::large:
      return "large";
    case ModelClass::medium:
      return "medium";
    case ModelClass::small:
      return "small";
  }
  return "large";
}

}  // namespace nl::chat
