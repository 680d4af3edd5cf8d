// Faxes that were begun with another provider than the one that is set now. Theirs are the ids and the documents there;
// the provider that is set now knows nothing of them, and must be asked nothing and given nothing.
#pragma once

#include "core/result.h"
#include "queue/context.h"

namespace queue {

// Whether the fax was accepted, or came in, while FAX_PROVIDER was another; or still says so, since it was set back just now.
bool is_with_other_provider(const Context& context, const store::Fax& fax);

// The next step of such a fax, in place of step_outbound() or step_inbound(). One of the practice line ends, `failed`, cause
// practice_over: nothing of it may reach a telephone. Any other waits, cause other_provider, and goes on by itself when
// FAX_PROVIDER is set back; it can be canceled while nobody has its document, and ends at its deadline as every fax does.
// What is at home here, mail and notice, is done as ever. Errors are those of store and spool.
core::Result<void> step_with_other_provider(const Context& context, const store::Fax& fax);

}  // namespace queue
