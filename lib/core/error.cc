#include "core/error.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace core {

std::string_view name(Code code) {
  switch (code) {
    case Code::bad_request: return "bad_request";
    case Code::unauthenticated: return "unauthenticated";
    case Code::forbidden: return "forbidden";
    case Code::not_found: return "not_found";
    case Code::method: return "method";
    case Code::conflict: return "conflict";
    case Code::too_large: return "too_large";
    case Code::unsupported: return "unsupported";
    case Code::invalid: return "invalid";
    case Code::limited: return "limited";
    case Code::no_space: return "no_space";
    case Code::unavailable: return "unavailable";
    case Code::provider_refused: return "provider_refused";
    case Code::provider_down: return "provider_down";
    case Code::unknown_outcome: return "unknown_outcome";
    case Code::settings: return "settings";
    case Code::internal: return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view context) && {
  text = std::string(context) + ": " + text;
  return std::move(*this);
}

Error Error::within(std::string_view context) const& { return Error(*this).within(context); }

Error Error::with_hint(std::string_view words) && {
  hint = words;
  return std::move(*this);
}

Error Error::with_field(std::string_view name) && {
  field = name;
  return std::move(*this);
}

bool is_temporary(int error_number) {
  switch (error_number) {
    case ENOSPC: case EDQUOT: case EAGAIN: case EMFILE: case ENFILE: case ENOMEM:
    case EIO: case ETIMEDOUT: case EINTR: case EBUSY: case EROFS:
      return true;
    default:
      return false;
  }
}

namespace {

Code code_of(int error_number) {
  if (error_number == ENOENT) return Code::not_found;
  if (error_number == ENOSPC || error_number == EDQUOT) return Code::no_space;
  return is_temporary(error_number) ? Code::unavailable : Code::internal;
}

// The GNU strerror_r: returns the text, which need not be in the buffer.
std::string reason(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

// What only the owner of the machine can mend, and can be told.
std::string_view hint_of(int error_number) {
  if (error_number == EROFS) return "The disk of the fax line cannot be written to: it has become read-only. Tell whoever looks after this machine; nothing was stored or sent.";
  return "";
}

}  // namespace

Error errno_error(std::string_view operation, std::string_view path, int error_number) {
  std::string text = std::string(operation) + " " + std::string(path) + ": " + reason(error_number);
  if (error_number == EACCES || error_number == EPERM) {
    const auto slash = path.rfind('/');
    text += " (uid " + std::to_string(geteuid()) + ", gid " + std::to_string(getegid());
    if (slash != std::string_view::npos && slash > 0) text += ", folder " + std::string(path.substr(0, slash));
    text += ")";
  }
  return {.code = code_of(error_number), .text = std::move(text), .hint = std::string(hint_of(error_number)), .error_number = error_number};
}

}  // namespace core
