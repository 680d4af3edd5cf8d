#include "core/secret.h"

#include <cstring>

namespace core {

void SecretString::wipe() {
  text_.resize(text_.capacity());
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace core
