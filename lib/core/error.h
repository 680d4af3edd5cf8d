// What went wrong, for two readers: `text` for the log, `hint` for the person.
//
// A Code says what kind of trouble it is, so that one table (lib/web) can turn
// it into an HTTP status and one (lib/command) into an exit status; no module
// below those knows either. Only `hint` and `field` may ever reach a browser or
// a provider; `text` holds operation, object and reason, never a secret and
// never a whole token.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace core {

enum class Code {
  bad_request,       // malformed input: cannot be read at all
  unauthenticated,   // no log-in, or a wrong one
  forbidden,         // known, but not allowed; a wrong signature; a foreign Origin
  not_found,         // unknown, or not this person's, or expired: one answer for all
  method,            // the verb does not exist for this thing
  conflict,          // the thing is in a state that does not allow it
  too_large,         // over a limit that the hint names
  unsupported,       // a kind of file or content that is not handled
  invalid,           // readable, but a value makes no sense; `field` says which
  limited,           // too many tries; come back after `retry_after`
  no_space,          // no space left for this, though the line goes on working
  unavailable,       // not now; trying again later helps (ENOSPC, EMFILE, time-outs)
  provider_refused,  // the provider answered no, well-formed
  provider_down,     // the provider could not be reached: certainly nothing was taken
  unknown_outcome,   // the call may or may not have had its effect
  settings,          // the settings do not allow a start
  internal,          // a bug, or a machine in a state that we did not foresee
};

// The name used in logs, e.g. "not_found". Never empty.
std::string_view name(Code code);

struct Error {
  Code code = Code::internal;
  std::string text;                          // log: operation, object, reason
  std::string hint = {};                     // person: what happened, what to do next; may be empty
  std::string field = {};                    // form field or setting to blame; may be empty
  std::chrono::seconds retry_after{0};       // 0: not said
  int error_number = 0;                      // errno, where there was one

  // The same error with `context: ` before its log text: for the caller that
  // knows which object was touched.
  Error within(std::string_view context) const&;
  Error within(std::string_view context) &&;
  Error with_hint(std::string_view words) &&;
  Error with_field(std::string_view name) &&;
};

// From errno: `operation path: reason`. The one place in Faxline that reads
// errno's meaning. ENOENT gives not_found, EACCES and EPERM internal with the
// user and the folder named, whatever is_temporary() says gives unavailable
// (ENOSPC and EDQUOT: no_space), all else internal. EROFS alone comes with a hint.
Error errno_error(std::string_view operation, std::string_view path, int error_number);

// True for trouble that passes by itself, by making room or by mending the disk: ENOSPC EDQUOT
// EAGAIN EMFILE ENFILE ENOMEM EIO ETIMEDOUT EINTR EBUSY EROFS (qmail's error_temp).
bool is_temporary(int error_number);

}  // namespace core
