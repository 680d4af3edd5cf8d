// Files of a form, streamed into the spool while they come.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "form/collector.h"
#include "spool/spool.h"
#include "store/rows.h"
#include "web/request.h"

namespace app {

// One file that came whole. It is in the spool for good only after commit().
struct UploadedFile {
  std::string field;      // name of the form's part
  std::string file_name;  // as the person called it
  std::int64_t bytes = 0;
  bool is_pdf = false;    // "%PDF-" within the first 1024 bytes, where readers look for it
  spool::Incoming incoming;
};

struct Upload {
  form::Fields fields;
  std::vector<UploadedFile> files;
};

// Reads a multipart/form-data body to its end boundary. `only_field`: files of other names are read and thrown away; empty:
// all are taken. `nul`: in text fields. Errors: bad_request (malformed, cut off), unsupported (not a form with files), too_large (a file over `max_file_bytes`, which the
// hint names), no_space (before a byte is read, where the request says how long it is), unavailable. After an error nothing is left in the spool.
core::Result<Upload> read_upload(web::Request& request, const spool::Spool& spool, spool::Use use, std::int64_t max_file_bytes, std::string_view only_field = {}, form::Nul nul = form::Nul::refuse);

// Makes the file durable, and gives the row that describes it (state queued, not yet in the book).
core::Result<store::Document> commit(UploadedFile& file, std::string_view owner, core::Time now);

bool is_multipart(const web::Request& request);

}  // namespace app
