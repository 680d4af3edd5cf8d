// The fence: a provider cannot send what it never fetched. Which attempts may be
// made, and which are over (README.md of this folder).
#pragma once

#include <string>

#include "core/result.h"
#include "queue/context.h"

namespace queue {

// What a provider is given for one attempt. The tokens exist here alone; the book has their hashes.
struct Urls {
  std::string media;
  std::string callback;
  std::string media_token_hash;
  std::string callback_token_hash;
};

// New tokens, in URLs at PUBLIC_URL, with the percent-encoded Basic authentication
// where the settings ask for it.
Urls new_urls(const Options& options);

enum class Past {
  over,        // there is none, or it is ended or void: a new attempt is safe, or the fax may end
  handed_out,  // somebody has, or may have, the document: it has to be looked for
  known,       // the provider's id is in the book, and its final word is not
};

// Sees to it that the fax's last attempt can do no harm: voids it if it was not handed out, and
// takes its copy back. Errors: of the store; then nothing is known, and nothing may be done.
core::Result<Past> close_last_attempt(const Context& context, const std::string& fax_id);

// Ends the attempt in the book and takes its copy back.
core::Result<void> end_attempt(const Context& context, const std::string& attempt_id, bool refused);

}  // namespace queue
