// The practice provider's faxes: one file each, replaced whole, and the documents beside them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sandbox/fax.h"

namespace sandbox {

// FOLDER/faxes/FX….json, FOLDER/media/FX….pdf. Not for several threads at once: the caller locks.
class Book {
 public:
  explicit Book(std::string folder) : folder_(std::move(folder)) {}

  // Makes the folders (0700), reads all, removes what a crash left half written, and documents that no fax has. Files
  // that cannot be read are logged, and left where they are. Errors as core::errno_error() gives.
  core::Result<void> open();

  // Durable when it returns. After an error the fax is as it was before.
  core::Result<void> put(const Fax& fax);

  // The fax; nullptr if there is none. Valid until the next put() or remove().
  const Fax* find(std::string_view sid) const;

  // With its document.
  core::Result<void> remove(const std::string& sid);

  // The youngest first.
  std::vector<const Fax*> newest_first() const;

  // Those that have something to be done.
  std::vector<const Fax*> unfinished() const;

  std::string media_path(std::string_view sid) const;
  // For a document that is being written; gone after a restart, unless it was renamed. Made new for each call.
  std::string temporary_path() const;

 private:
  std::string fax_path(std::string_view sid) const;
  core::Result<void> read_all();
  core::Result<void> tidy_media();

  std::string folder_;
  std::map<std::string, Fax, std::less<>> faxes_;
};

}  // namespace sandbox
