// The socket that systemd made for this process (sd_listen_fds(3), without its library): it has the owner and the mode
// that its unit says, and keeps what arrives while the program is started again.
#pragma once

#include "core/fd.h"

namespace core {

// The one socket that was passed, of type SOCK_DGRAM, SOCK_SEQPACKET…; none if there is none, if there are several, or if
// it is of another type. It is closed in what this process executes. Taken once: the next call finds none.
UniqueFd inherited_socket(int type);

}  // namespace core
