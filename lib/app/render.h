// Faxes, documents and numbers as JSON, in the API's words.
#pragma once

#include <string>
#include <vector>

#include "json/writer.h"
#include "store/rows.h"

namespace app {

// One fax; with its events where they are given.
void write_fax(json::Writer& writer, const store::Fax& fax, const std::vector<store::Event>* events = nullptr);
std::string fax_json(const store::Fax& fax, const std::vector<store::Event>& events);
std::string document_json(const store::Document& document);

}  // namespace app
