// Text from outside made fit for XML and for a header of HTTP.
#pragma once

#include <string>
#include <string_view>

namespace text {

// Fit for an element's text and for an attribute in either kind of quotes, so that an XML 1.0 parser reads back the same
// (tab, line feed and carriage return become references, else it would change them). Characters that XML 1.0 forbids
// (section 2.2) are dropped, broken UTF-8 becomes U+FFFD.
std::string xml_escape(std::string_view utf8);

// Whether the browser should show the document itself, or save it.
enum class Disposition { in_page, attachment };

// The value of Content-Disposition (RFC 6266): `attachment; filename="scan.pdf"`. A name that does not fit into plain
// ASCII gets a fallback with "_" in place of what does not, and the real one beside it as filename* (RFC 8187).
//
// The name may be anything: "/" and "\" become "_"; control characters and marks that turn the writing direction are
// dropped, so are dots and spaces in front; broken UTF-8 becomes U+FFFD; the stem is cut after 120 characters; an empty
// name becomes "document". The result is one line of visible ASCII and spaces.
std::string content_disposition(Disposition disposition, std::string_view utf8_name);

}  // namespace text
