// Reads the answer to the first webhook of a fax that comes in.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sandbox {

struct Receive {
  std::string action;         // absolute or relative; empty: nobody wants to be told
  std::string method = "POST";  // or GET
  std::string media_type = "application/pdf";
  bool store_media = true;
  bool store_media_given = false;
  bool reject = false;  // it is a <Reject/>, and says nothing else
};

// The first <Receive> or <Reject> in the <Response> of a small, well-formed XML document (comments, an XML declaration and character
// references are understood; a DOCTYPE, CDATA and other encodings than UTF-8 are not). bad_request, with Twilio's code
// in `field`: "12100" if it is not such a document, "34106" if there is none in it, or its attributes make no
// sense (<Reject> has none). Names are case-sensitive.
core::Result<Receive> read_twiml(std::string_view xml);

}  // namespace sandbox
