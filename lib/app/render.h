// Faxes, documents and numbers as JSON, in the API's words.
#pragma once

#include <string>
#include <vector>

#include "json/writer.h"
#include "store/rows.h"

namespace app {

// {code, text, advice}, the provider's or our own further words in brackets behind the text; null without a code.
void write_cause(json::Writer& writer, const std::string& code, const std::string& own_words);

// Whether a fax says what comes next (store/story.h), and whether it has a document, as the page asks for it by `with=next`.
// They are not of the members that every client may count on, so none gets them unasked.
enum class Next { left_out, told };

// One fax; with its events where they are given.
void write_fax(json::Writer& writer, const store::Fax& fax, const std::vector<store::Event>* events = nullptr, Next next = Next::left_out);
std::string fax_json(const store::Fax& fax, const std::vector<store::Event>& events, Next next = Next::left_out);
std::string document_json(const store::Document& document);

}  // namespace app
