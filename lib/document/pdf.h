// What a PDF is, and one of several, by the program qpdf in the box (process/box.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace document {

struct Pdf {
  std::int64_t pages = 0;  // at least 1
  std::string warning;     // what was put up with, in words; empty: nothing
};

// Looks into the whole file behind `fd`, open for reading; its offset counts for nothing. A file that qpdf can read with warnings is taken,
// with a warning; one with an owner's password alone, which opens without any, is taken as it is.
// Errors: invalid, with `field` the cause (fax/cause.h) and a hint: document_unsupported (no PDF), document_encrypted,
// document_damaged, document_empty, document_too_complex (over 60 s, 30 s of processor, or 1 GB). unavailable: no box can be had now.
core::Result<Pdf> examine_pdf(int fd);

// All pages of several PDFs, in order, into `output_fd`, an empty regular file. Errors as examine_pdf();
// document_damaged stands for any that qpdf could not join. After an error a part may be in the output.
core::Result<void> join_pdfs(const std::vector<int>& fds, int output_fd);

}  // namespace document
